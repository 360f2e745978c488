"""The saved state of a fit: all a killed run needs to continue as if nothing had happened."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import torch

from semsplat.errors import UNREADABLE, one_line
from semsplat.io import atomic_path


def save_state(
    path: Path, run_key: str, step: int, seconds: float, log: str, content: dict[str, Any]
) -> None:
    """Write the state after ``step`` steps, atomically, with the log and the CPU random state."""
    state = {
        "run_key": run_key,
        "step": step,
        "seconds": seconds,
        "log": log,
        "rng": torch.get_rng_state(),
        "content": content,
    }
    with atomic_path(path) as partial, partial.open("wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            # PyTorch's own words for a full disk are "unexpected pos".
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load_state(path: Path, run_key: str) -> dict[str, Any] | None:
    """Return the saved state of this very run, or None.

    A state of other parameters is ignored, and so, with a line that says it, is a damaged one: the
    checksum of every tensor in it is compared, because torch would take flipped bytes for numbers.
    """
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        state: dict[str, Any] = torch.load(path, weights_only=True)
        return state if state["run_key"] == run_key else None
    except UNREADABLE as error:
        reason = one_line(error) or type(error).__name__
        print(f"{path}: damaged ({reason}), so this starts over", file=sys.stderr, flush=True)
        return None
