"""The splatting core: Gaussians in, images with any number of channels out, differentiable.

`rasterize` has gsplat's signature, conventions and ``meta`` keys and runs on two backends: stock
gsplat on CUDA tensors, Numba kernels (`cpu`) on CPU tensors.  `gaussians` holds and initialises
the parameters, `ply` reads and writes INRIA's layout, and `reference` is the slow brute-force truth
that tests and benchmarks compare with.
"""
