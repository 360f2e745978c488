"""The procedural world: furnished rooms and table tops with exact ground truth, from a seed.

In: a kind ("room" or "tabletop"), a seed, the number of views, the picture size, the field of view.
Out: a folder in Semantic-NeRF's Replica layout (see `replica_layout`): photographs, depth, class,
instance and part ids, poses, and the names of everything.  14 classes, 13 colours.
A seed fixes every byte; threads and repetition change nothing.

`rooms` makes a `World`, `raycast` its poses and photographs, `replica_layout` the files.
"""
