"""What `semsplat doctor` finds."""

from __future__ import annotations

from semsplat.bench.gpu.steps import Bench, Said
from semsplat.doctor import findings


def check(bench: Bench) -> Said:
    """Say what is lacking."""
    found = findings()
    numbers = {one.about: one.said for one in found}
    return Said(numbers, [f"{one.about}: {one.said}" for one in found if not one.good])
