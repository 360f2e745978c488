"""semsplat: semantic 3D Gaussian splatting, reproduced from the papers and judged.

Six phases, one word in six places (rules file, package, results folder, log folder, DVC stage,
tests): ``data -> geometry -> features -> train -> evaluate -> figures``.  Every phase reads and
writes files only; `semsplat.paths` names them, `semsplat.conventions` fixes axes and units.
"""

import os
import signal
import sys
from pathlib import Path

from semsplat.kernel_cache import use_kernel_cache

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
