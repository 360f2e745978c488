"""semsplat: semantic 3D Gaussian splatting, reproduced from the papers and judged.

Six phases, one word in six places (rules file, package, results folder, log folder, DVC stage,
tests): ``data -> geometry -> features -> train -> evaluate -> figures``.  Every phase reads and
writes files only; `semsplat.paths` names them, `semsplat.conventions` fixes axes and units.

For your own programs: `rasterize`, `Scene` (``Scene.open``), `Viewpoint`, and `Field`
(``Field.open``), a trained scene that answers.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.kernel_cache import use_kernel_cache

if TYPE_CHECKING:
    from semsplat.data.scene import Scene, Viewpoint
    from semsplat.field.field import Field
    from semsplat.splat.rasterizer import rasterize

__all__ = ["Field", "Scene", "Viewpoint", "rasterize"]

# Waiting OpenMP threads must sleep: torch and Numba share one pool, and spinning between kernels
# makes a step up to ten times slower as soon as anything else runs on the machine.  libgomp reads
# this once, when it is loaded, so it has to be set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
use_kernel_cache()

# Our programs import for a second before `semsplat.errors.one_line_errors` can say a line: until
# then Ctrl-C ends them without a traceback.  Python names a program "-m" while it looks for it.
IS_OURS = Path((sys.argv or [""])[0]).name in {"-m", "semsplat"}
if IS_OURS and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

__version__ = "0.1.0"

_PLACES = {
    "Field": "semsplat.field.field",
    "Scene": "semsplat.data.scene",
    "Viewpoint": "semsplat.data.scene",
    "rasterize": "semsplat.splat.rasterizer",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: jobs need the package without torch."""
    if name not in _PLACES:
        raise AttributeError(f"module 'semsplat' has no attribute '{name}'")
    return getattr(import_module(_PLACES[name]), name)
