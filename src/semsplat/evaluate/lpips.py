"""LPIPS, where the backbone's weights are on disk; nothing is ever downloaded here."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlparse

import torch
import torchvision
from torch import Tensor


class Lpips:
    """LPIPS by torchmetrics, or the reason why there is none."""

    def __init__(self, net: str) -> None:
        """Look for the weights of ``net`` ("alex" or "vgg") where torchvision keeps them."""
        weights = {
            "alex": torchvision.models.AlexNet_Weights.IMAGENET1K_V1,
            "vgg": torchvision.models.VGG16_Weights.IMAGENET1K_V1,
        }[net]
        file = Path(urlparse(weights.url).path).name
        self.path = Path(torch.hub.get_dir()) / "checkpoints" / file
        self.available = self.path.is_file()
        self.reason = (
            None
            if self.available
            else f"{file} is not in {self.path.parent.name}/ of torch hub's folder"
        )
        self._metric = self._load(net) if self.available else None

    @staticmethod
    def _load(net: str) -> torch.nn.Module:
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        return LearnedPerceptualImagePatchSimilarity(net_type=net, normalize=True)

    @torch.no_grad()
    def score(self, image: Tensor, truth: Tensor) -> dict[str, float]:
        """Return {"lpips": value} of two images [1, 3, H, W] in [0, 1]; empty without weights."""
        if self._metric is None:
            return {}
        value: float = self._metric(image, truth).item()
        return {"lpips": value}
