"""``python -m semsplat.data.register download|unpack``: bring one file of the register here."""

from __future__ import annotations

from semsplat.commands import run_one_of
from semsplat.data.register.fetch import download as download_file
from semsplat.data.register.fetch import unpack as unpack_file


def download(name: str) -> None:
    """Fetch and check one file, or check the one that lies there.

    Args:
        name: its name in the register.
    """
    download_file(name)


def unpack(name: str, times_lost: int) -> None:
    """Unpack one archive into its folder.

    Args:
        name: its name in the register.
        times_lost: how often the folder was removed since it was unpacked first.
    """
    unpack_file(name, times_lost)


def main() -> None:
    """Run one of the two commands."""
    run_one_of({"download": download, "unpack": unpack})


if __name__ == "__main__":
    main()
