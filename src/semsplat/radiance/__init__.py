"""Radiance fields: density and colour of every point, learned from photographs along rays.

What the methods that hold no Gaussians (`semsplat.train.methods.lerf`, `.threedovs`) stand on.
`space`: the box and what lies around it; `planes`: factorised grids; `field`: density and colour;
`volume`: what a ray shows of its samples; `march`: where a ray is sampled; `batches`: which rays a
step learns from; `colours`: the step that reconstructs, and its losses.
"""
