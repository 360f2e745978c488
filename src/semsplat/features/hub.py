"""Models of transformers from a folder on disk, their weights checked; nothing is ever fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from semsplat.errors import SemsplatError
from semsplat.io import read_json, sha256_file
from semsplat.params.hub import HubModel

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def weights_path(spec: HubModel) -> Path:
    """Return the file of a model's weights, its hash checked.

    Raises:
        SemsplatError: the folder or one of its files is missing, or the weights are other ones than
            params.yaml names.
    """
    folder = Path(spec.folder)
    if not folder.is_dir():
        raise SemsplatError(f"{folder}: no such folder; put the model there or correct params.yaml")
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise SemsplatError(f"{folder / name}: no such file; copy all files of the model there")
    path = folder / WEIGHTS
    if spec.sha256 is not None and (found := sha256_file(path)) != spec.sha256:
        raise SemsplatError(
            f"{path}: sha256 {found[:12]}..., but params.yaml expects {spec.sha256[:12]}...; fetch"
            " the right file or change the hash there"
        )
    return path


def open_model(kind: Any, spec: HubModel, device: str, **without: bool) -> Any:
    """Return a model in float32, ready for inference.

    Args:
        kind: a model class of transformers.
        spec: where it lies.
        device: of torch.
        without: arguments of the class that leave out parts which the weights may lack.

    Raises:
        SemsplatError: what `weights_path` raises; the folder holds another kind of model, or
            weights that do not fit its config.
    """
    path = weights_path(spec)
    found, expected = read_json(path.with_name(CONFIG)).get("model_type"), kind.config_class
    if found != expected.model_type:
        raise SemsplatError(f"{path.parent}: holds a {found}; {expected.model_type} is needed")
    try:
        model, report = kind.from_pretrained(
            path.parent,
            local_files_only=True,
            use_safetensors=True,
            dtype="float32",
            output_loading_info=True,
            **without,
        )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise SemsplatError(_unreadable(path.parent, error)) from None
    # What is missing, transformers draws at random, with a warning alone.
    if missing := sorted(report["missing_keys"]):
        raise SemsplatError(f"{path}: lacks '{missing[0]}'; fetch the right file")
    return model.eval().requires_grad_(False).to(device)


def open_processor(kind: Any, spec: HubModel) -> Any:
    """Return what prepares a model's inputs.

    Args:
        kind: a processor class of transformers.
        spec: where its model lies.

    Raises:
        SemsplatError: the folder lacks its files.
    """
    try:
        return kind.from_pretrained(spec.folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise SemsplatError(_unreadable(Path(spec.folder), error)) from None


def _unreadable(folder: Path, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0]
    return f"{folder}: not readable as a model of transformers ({reason})"
