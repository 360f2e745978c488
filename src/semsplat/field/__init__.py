"""A trained scene as a person asks it: from any camera, by any prompt, by a click, to any file.

`Field` opens what a training wrote and answers whatever its method can, `selection` picks objects
out, `cameras` makes viewpoints.  The answers in `semsplat.evaluate` are the same, asked of held-out
views and written to be scored; what every Gaussian says by itself stands there too.
"""
