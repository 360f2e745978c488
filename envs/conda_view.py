"""Print the conda view of ``requirements.lock``: the same pins for people who use --sdm conda."""

from __future__ import annotations

from pathlib import Path

LOCK = Path(__file__).with_name("requirements.lock")
HEAD = """# Generated from requirements.lock by `make lock`; do not edit.
name: semsplat
channels: [conda-forge, nodefaults]
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def conda_view(lock: str) -> str:
    """Return the environment file for a lock's text: every pin with its marker, without hashes."""
    pins = [line.removesuffix("\\").strip() for line in lock.splitlines() if "==" in line[:60]]
    names = [pin for pin in pins if not pin.startswith(("#", "--"))]
    return HEAD + "".join(f'      - "{pin}"\n' for pin in names)


if __name__ == "__main__":
    print(conda_view(LOCK.read_text()), end="")
