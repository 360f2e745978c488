"""No import runs upward, and no file needs itself: the layout is the architecture."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
FLOORS = (
    {"errors", "conventions"},
    {"plugins"},
    {
        "io",
        "log",
        "gpu",
        "paths",
        "palette",
        "kernel_cache",
        "allocator",
        "job",
        "discovery",
        "folders",
    },
    {"fingerprint", "keys", "verified", "commands"},
    {"arrays", "vertices"},
    {"provenance"},
    {"params"},
    {"data", "splat"},
    {"fit", "doctor"},
    {"geometry", "radiance"},
    {"features"},
    {"train"},
    {"evaluate"},
    {"field"},
    {"figures"},
    {"networks", "bench", "track", "viewer"},
    {"experiment"},
    {"restore", "trial"},
    {"cli"},
)
"""From the ground up; what stands on one floor does not know its neighbours."""


def modules() -> dict[str, Path]:
    """Return every module of the package and its file; a package is called as its folder."""
    found = {}
    for path in (SRC / "semsplat").rglob("*.py"):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Return the package's modules that a file imports anywhere, also for types alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in names}
    return found & known.keys()


MODULES = modules()
IMPORTS = {name: imports(path, MODULES) for name, path in MODULES.items()}


def part(module: str) -> str:
    """Return the package or file directly below ``semsplat``."""
    return module.split(".")[1] if "." in module else ""


def test_every_part_of_the_package_has_its_floor() -> None:
    named = [name for floor in FLOORS for name in floor]
    assert sorted(named) == sorted({part(module) for module in MODULES} - {""})


def test_no_import_runs_upward_or_to_a_neighbour() -> None:
    level = {name: height for height, floor in enumerate(FLOORS) for name in floor}
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in others
        if part(module) and part(other) and part(module) != part(other)
        if level[part(other)] >= level[part(module)]
    ]
    assert not wrong


def test_no_file_needs_itself() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None
