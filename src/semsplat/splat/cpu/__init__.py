"""The CPU backend: Numba kernels for projection, spherical harmonics, binning and blending.

In: contiguous numpy arrays of one camera.  Out: the quantities `gsplat` names the same way.
`project` and `harmonics` are parallel over Gaussians, `blend` over image tiles; no two threads
ever write to one place, and sums have a fixed order, so results are bit-identical for any number
of threads.  `autograd` ties the kernels into torch.
"""
