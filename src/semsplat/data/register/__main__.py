"""``python -m semsplat.data.register download|unpack``: bring one file of the register here."""

from __future__ import annotations

from semsplat.commands import run_one_of
from semsplat.data.register.fetch import download, unpack


def main() -> None:
    """Run one of the two commands."""
    run_one_of({"download": download, "unpack": unpack})


if __name__ == "__main__":
    main()
