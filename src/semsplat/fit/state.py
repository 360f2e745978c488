"""The saved state of a fit: all a killed run needs to continue as if nothing had happened."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from semsplat.errors import SemsplatError
from semsplat.io import atomic_path

# What torch.load raises for a file that is no saved state, or only half of one.
UNREADABLE = (RuntimeError, EOFError, pickle.UnpicklingError, KeyError, ValueError, OSError)


def save_state(
    path: Path, run_key: str, step: int, seconds: float, content: dict[str, Any]
) -> None:
    """Write the state after ``step`` steps, atomically, with the CPU random state."""
    state = {
        "run_key": run_key,
        "step": step,
        "seconds": seconds,
        "rng": torch.get_rng_state(),
        "content": content,
    }
    with atomic_path(path) as partial:
        torch.save(state, partial)


def load_state(path: Path, run_key: str) -> dict[str, Any] | None:
    """Return the saved state of this very run, or None; a state of other parameters is ignored.

    Raises:
        SemsplatError: the file is there but unreadable.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SemsplatError(
            f"{path}: unreadable saved state ({reason}); delete it to start over"
        ) from None
    return state if state["run_key"] == run_key else None
