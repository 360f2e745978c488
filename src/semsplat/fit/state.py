"""The saved state of a fit: all a killed run needs to continue as if nothing had happened."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from semsplat.errors import UNREADABLE, one_line
from semsplat.io import atomic_path

State = dict[str, Any]
"""Of the kinds that ``torch.load(weights_only=True)`` reads."""


def state_of(run_key: str, step: int, seconds: float, log: str, content: dict[str, Any]) -> State:
    """Return the state after ``step`` steps, with the log and the random states."""
    return {
        "run_key": run_key,
        "step": step,
        "seconds": seconds,
        "log": log,
        "device": device_of(content),
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "content": content,
    }


def on_host(state: State) -> tuple[State, Callable[[], None]]:
    """Return a copy of a GPU's state that later steps leave alone, and what waits for it.

    Copies to pinned memory are made in the order of the GPU's work, so that nobody waits for them
    until they are read.
    """
    copy = tree_map_only(Tensor, _copied, state)
    made = torch.cuda.Event()
    made.record()
    return copy, made.synchronize


def _copied(tensor: Tensor) -> Tensor:
    tensor = tensor.detach()
    return tensor.to("cpu", non_blocking=True) if tensor.is_cuda else tensor.clone()


def write_state(path: Path, state: State) -> None:
    """Write a state, atomically: whoever is killed meanwhile leaves the one before."""
    with atomic_path(path) as partial, partial.open("wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            # PyTorch's own words for a full disk are "unexpected pos".
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def device_of(content: Any) -> str | None:
    """Return the kind of device, "cpu" or "cuda", of the first tensor in nested dictionaries."""
    if isinstance(content, torch.Tensor):
        return content.device.type
    inner = content.values() if isinstance(content, dict) else ()
    return next((found for one in inner if (found := device_of(one))), None)


def restore_random(state: dict[str, Any]) -> None:
    """Continue the random numbers of a saved state."""
    torch.set_rng_state(state["rng"])
    if state["cuda_rng"]:
        torch.cuda.set_rng_state_all(state["cuda_rng"])


def load_state(path: Path, run_key: str, device: str | None = None) -> dict[str, Any] | None:
    """Return the saved state of this very run, or None; its tensors are on the CPU.

    A state of other parameters is ignored.  So, with a line that says it, is one of another kind of
    device than ``device``, whose run would be of neither, and a damaged one: the checksum of every
    tensor in it is compared, because torch would take flipped bytes for numbers.
    """
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        before = state["device"]
        if state["run_key"] != run_key:
            return None
    except UNREADABLE as error:
        reason = one_line(error) or type(error).__name__
        print(f"{path}: damaged ({reason}), so this starts over", file=sys.stderr, flush=True)
        return None
    if device not in (None, before):
        line = f"{path}: of a run on {before}, and this one is on {device}, so this starts over"
        print(line, file=sys.stderr, flush=True)
        return None
    return state
