"""Segment Anything Models, big and tiny, through the package segment_anything."""

from __future__ import annotations

import pickle

import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import Sam

from semsplat.errors import SemsplatError
from semsplat.features.weights import EMBEDDED, weights_path
from semsplat.networks.tiny_sam.model import load_sam
from semsplat.params.features import SamModel


def open_model(spec: SamModel, device: str) -> Sam:
    """Return a SAM ready for ``SamPredictor`` and ``SamAutomaticMaskGenerator``.

    Raises:
        SemsplatError: weights missing, of another hash, or of another model.
    """
    path = weights_path(spec)
    if spec.weights == EMBEDDED:
        return load_sam(path).to(device)
    sam = sam_model_registry[spec.architecture]()
    try:
        sam.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    except (RuntimeError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise SemsplatError(f"{path}: not weights of {spec.architecture} ({reason})") from None
    return sam.eval().requires_grad_(False).to(device)
