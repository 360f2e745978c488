"""LPIPS, where the backbone's weights are on disk; nothing is ever downloaded here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.io import sha256_file
from semsplat.paths import hub_dir

WEIGHTS = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth"}
"""What torchvision calls the weights of its backbones: model, first digits of the sha256."""


class Lpips:
    """LPIPS by torchmetrics, or the reason why there is none.

    Both libraries are imported where there are weights alone: they take ten times as long as
    scoring a run.
    """

    def __init__(self, net: str) -> None:
        """Look for the weights of ``net`` ("alex" or "vgg") where torchvision keeps them."""
        self.path = hub_dir() / "checkpoints" / WEIGHTS[net]
        self.reason = _refused(self.path)
        self.available = self.reason is None
        self._metric = self._load(net) if self.available else None

    @staticmethod
    def _load(net: str) -> Any:
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        return LearnedPerceptualImagePatchSimilarity(net_type=net, normalize=True)

    def score(self, image: NDArray[np.uint8], truth: NDArray[np.uint8]) -> dict[str, float]:
        """Return {"lpips": value} of two images [H, W, 3] uint8; empty without weights."""
        if self._metric is None:
            return {}
        import torch

        pair = torch.from_numpy(np.stack([image, truth])).permute(0, 3, 1, 2).float() / 255
        with torch.no_grad():
            value: float = self._metric(pair[:1], pair[1:]).item()
        return {"lpips": value}


def _refused(path: Path) -> str | None:
    """Return why the weights cannot be used, in words that are the same on every machine."""
    if not path.is_file():
        return f"{path.name} is not in {path.parent.name}/ of torch hub's folder"
    expected = path.stem.rsplit("-", 1)[1]
    if (found := sha256_file(path)).startswith(expected):
        return None
    return f"{path.name} has sha256 {found[:8]}..., not {expected}...; fetch it again"
