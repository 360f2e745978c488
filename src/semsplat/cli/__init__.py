"""``semsplat``: verbs for people.  Rules call ``python -m semsplat.<phase>`` instead."""

from __future__ import annotations

from semsplat.cli.material import data, doctor, photos, ply, scene, try_
from semsplat.cli.project import check, external, plan, trace
from semsplat.cli.trained import export, query, render, select, view
from semsplat.commands import run_one_of
from semsplat.restore import restore

VERBS = (
    *(check, plan, doctor, scene, data, external, photos, try_, ply),
    *(view, query, render, export, select, trace, restore),
)


def main() -> None:
    """Run one verb."""
    run_one_of({verb.__name__.rstrip("_"): verb for verb in VERBS}, prog="semsplat")
