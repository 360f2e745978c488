"""Where a model's weights are, and whether they are the ones that params.yaml names."""

from __future__ import annotations

from pathlib import Path

from semsplat.errors import SemsplatError
from semsplat.io import sha256_file
from semsplat.params.features import ClipModel, SamModel

EMBEDDED = "embedded"
PACKAGED = Path(__file__).parents[1] / "networks" / "weights"


def weights_path(model: ClipModel | SamModel) -> Path:
    """Return the file of a model's weights, its hash checked.

    Raises:
        SemsplatError: the file is missing, or another one than params.yaml names.
    """
    name = "tiny_clip" if isinstance(model, ClipModel) else "tiny_sam"
    embedded = model.weights == EMBEDDED
    path = PACKAGED / f"{name}.safetensors" if embedded else Path(model.weights)
    if not path.is_file():
        raise SemsplatError(
            f"{path}: no such file; put the weights of {model.architecture} there, or name their"
            " place in params.yaml under features"
        )
    found = sha256_file(path)
    if found != model.sha256:
        raise SemsplatError(
            f"{path}: sha256 {found[:12]}..., but params.yaml expects {model.sha256[:12]}... for"
            f" {model.architecture}; fetch the right file or change the hash there"
        )
    return path
