"""semsplat: semantic 3D Gaussian splatting, reproduced from the papers and judged.

Six phases, one word in six places (rules file, package, results folder, log folder, DVC stage,
tests): ``data -> geometry -> features -> train -> evaluate -> figures``.  Every phase reads and
writes files only; `semsplat.paths` names them, `semsplat.conventions` fixes axes and units.
"""

__version__ = "0.1.0"
