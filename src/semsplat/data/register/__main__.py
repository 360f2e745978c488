"""``python -m semsplat.data.register download|unpack``: bring one file of the register here."""

from __future__ import annotations

import tyro

from semsplat.data.register.fetch import download, unpack
from semsplat.errors import one_line_errors


def main() -> None:
    """Run one of the two commands."""
    with one_line_errors():
        tyro.extras.subcommand_cli_from_dict({"download": download, "unpack": unpack})


if __name__ == "__main__":
    main()
