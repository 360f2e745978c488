"""Where a model's weights are, and whether they are the ones that params.yaml names."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Generic, TypeVar

from safetensors import SafetensorError

from semsplat.errors import SemsplatError
from semsplat.io import sha256_file
from semsplat.params.features import ClipModel, SamModel

EMBEDDED = "embedded"
PACKAGED = Path(__file__).parent / "embedded" / "weights"
UNFIT = (
    *(AssertionError, AttributeError, EOFError, RuntimeError, StopIteration, TypeError, ValueError),
    *(pickle.UnpicklingError, SafetensorError),
)
"""What torch, safetensors and open_clip raise for broken files and for other contents."""

Spec = TypeVar("Spec", ClipModel, SamModel)


@dataclass(frozen=True)
class Weights(Generic[Spec]):
    """A model's file, found and hashed.

    ``spec`` says the hash of the file even where params.yaml names none; ``expected`` is the one
    that params.yaml names.
    """

    path: Path
    spec: Spec
    expected: str | None


def find_weights(spec: Spec) -> Weights[Spec]:
    """Return the file of a model's weights, its hash computed and checked.

    Raises:
        SemsplatError: the file is missing, or another one than params.yaml names.
    """
    name = "tiny_clip" if isinstance(spec, ClipModel) else "tiny_sam"
    embedded = spec.weights == EMBEDDED
    path = PACKAGED / f"{name}.safetensors" if embedded else Path(spec.weights)
    if not path.is_file():
        raise SemsplatError(
            f"{path}: no such file; put the weights of {spec.architecture} there, or name their"
            " place in params.yaml under features"
        )
    digest = sha256_file(path)
    if spec.sha256 and digest != spec.sha256:
        raise SemsplatError(
            f"{path}: sha256 {digest[:12]}..., but params.yaml, or the features in use, expect"
            f" {spec.sha256[:12]}... for {spec.architecture}; fetch the right file, or change the"
            " hash in params.yaml"
        )
    return Weights(path, spec.model_copy(update={"sha256": digest}), spec.sha256)


@contextmanager
def one_line_misfit(weights: Weights[Spec]) -> Iterator[None]:
    """Turn what goes wrong while a model reads its weights into a one-line `SemsplatError`."""
    try:
        yield
    except UNFIT as error:
        reason = shorten(str(error) or type(error).__name__, 200, placeholder="...")
        raise SemsplatError(
            f"{weights.path}: not weights of {weights.spec.architecture} ({reason}); fetch the file"
            " anew, or name its architecture in params.yaml under features"
        ) from None
