"""Protocol ``rgb/held_out@1``: image quality of held-out views.

Definition: per held-out view, PSNR and SSIM (Gaussian window 11, sigma 1.5, range 1) of the 8-bit
prediction against the 8-bit photograph, at the scene's resolution, no crop, no mask; LPIPS with the
named backbone on inputs scaled to [-1, 1]; the score is the plain mean over views.
Source: 3DGS's evaluation of saved PNGs (METHODS 1.5).
Disputes: 3DGS's tables use LPIPS-VGG on [0, 1] inputs without rescaling, gsplat's use AlexNet;
3DGS pads SSIM's border with zeros, torchmetrics reflects it.  Compare only within one protocol.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from semsplat.data.images import read_rgb
from semsplat.data.scene import Frame, load_image
from semsplat.evaluate.lpips import Lpips

NAME = "rgb/held_out@1"
METRICS = ("psnr", "ssim", "lpips")


def score_views(
    frames: Iterable[Frame], predictions_dir: Path, lpips: Lpips
) -> dict[str, dict[str, float]]:
    """Return {frame name: {metric: value}}; PSNR in dB, a missing prediction scores 0.

    For LPIPS, where 0 is best, a missing prediction scores 1.
    """
    return {frame.name: _score_view(frame, predictions_dir, lpips) for frame in frames}


def is_missing(frame: Frame, predictions_dir: Path) -> bool:
    """Tell whether a frame has no prediction."""
    return not (predictions_dir / f"{frame.name}.png").is_file()


def _score_view(frame: Frame, predictions_dir: Path, lpips: Lpips) -> dict[str, float]:
    worst = {"psnr": 0.0, "ssim": 0.0} | ({"lpips": 1.0} if lpips.available else {})
    if is_missing(frame, predictions_dir):
        return worst
    size = (frame.width, frame.height)
    image = _tensor(read_rgb(predictions_dir / f"{frame.name}.png", size))
    truth = _tensor(load_image(frame))
    return score_image(image, truth) | lpips.score(image, truth)


def score_image(image: Tensor, truth: Tensor) -> dict[str, float]:
    """Return PSNR (dB) and SSIM of two images [1, 3, H, W] in [0, 1]; equal images give 100 dB."""
    if torch.equal(image, truth):
        return {"psnr": 100.0, "ssim": 1.0}
    similarity = structural_similarity_index_measure(image, truth, data_range=1.0)
    assert isinstance(similarity, Tensor)
    return {
        "psnr": peak_signal_noise_ratio(image, truth, data_range=1.0).item(),
        "ssim": similarity.item(),
    }


def _tensor(image: Any) -> Tensor:
    """Return uint8 [H, W, 3] as float [1, 3, H, W] in [0, 1]."""
    return torch.tensor(image).permute(2, 0, 1)[None].float() / 255
