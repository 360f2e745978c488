"""The procedural world: furnished rooms and table tops with exact ground truth, from a seed.

In: a kind ("room" or "tabletop"), a seed, the number of views, the picture size, the field of view.
Out: a folder in Semantic-NeRF's Replica layout (see `replica_layout`): photographs, depth, class,
instance and part ids, poses, and the names of everything.  14 classes (`CLASSES`), 13 colours.
A seed fixes every byte; threads and repetition change nothing.

`make_room` and `make_tabletop` return a `World`; `camera_path` its poses; `render_view` draws one;
`view_ids` turns primitive ids into class, instance and part ids.
"""

from semsplat.data.world.cameras import camera_path
from semsplat.data.world.draw import draw_world, make_world
from semsplat.data.world.film import develop, measure_exposure
from semsplat.data.world.materials import COLORS
from semsplat.data.world.primitives import CLASSES, Instance, Part, World
from semsplat.data.world.raycast import TracedView, focal_length, render_view
from semsplat.data.world.replica_layout import view_ids, write_world
from semsplat.data.world.rooms import make_room, make_tabletop

__all__ = [
    "CLASSES",
    "COLORS",
    "Instance",
    "Part",
    "TracedView",
    "World",
    "camera_path",
    "develop",
    "draw_world",
    "focal_length",
    "make_room",
    "make_tabletop",
    "make_world",
    "measure_exposure",
    "render_view",
    "view_ids",
    "write_world",
]
