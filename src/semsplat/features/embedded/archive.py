"""Weights of the embedded networks on disk, their shape in the header."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from semsplat.errors import SemsplatError, one_line
from semsplat.io import atomic_path

Shape = TypeVar("Shape", bound=BaseModel)


def halved(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of a network in half precision."""
    return {k: v.detach().half().contiguous() for k, v in network.state_dict().items()}


def write_weights(path: Path, tensors: dict[str, Tensor], shape: BaseModel) -> None:
    """Write tensors, with the shape of the network in the header."""
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata={"shape": shape.model_dump_json()})


def read_weights(path: Path, kind: type[Shape], network: str) -> tuple[Shape, dict[str, Tensor]]:
    """Return shape and tensors of a ``network``; raise where the file is missing or another one."""
    try:
        with safe_open(path, "pt") as archive:
            shape = kind.model_validate_json(archive.metadata()["shape"])
            return shape, {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise SemsplatError(f"{path}: no such file; install semsplat whole") from None
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise SemsplatError(f"{path}: not the weights of a {network} ({one_line(error)})") from None
