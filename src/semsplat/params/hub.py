"""Parameters of models that lie in a folder of the Hugging Face Hub's layout."""

from __future__ import annotations

from semsplat.params.base import Precision, Sha256, Strict


class HubModel(Strict):
    """A model of transformers; it is read from disk and never fetched."""

    folder: str
    """its place: config.json, model.safetensors and the files of its processor"""
    sha256: Sha256 | None
    """of model.safetensors, others are refused; null where nobody has published one: run.json or
    the predictions' manifest.json records that of the file found"""
    precision: Precision
    """what a GPU computes in (torch.autocast); a CPU computes in float32"""
