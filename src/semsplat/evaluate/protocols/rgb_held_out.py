"""Protocol ``rgb/held_out@2``: image quality of held-out views.

Definition: per held-out view, PSNR and SSIM (Gaussian window 11, sigma 1.5, range 1, zeros beyond
the border) of the 8-bit prediction against the 8-bit photograph, at the scene's resolution, no
crop, no mask; LPIPS with the named backbone on inputs scaled to [-1, 1]; the score is the plain
mean over views.  Equal images have 100 dB; a view without a prediction has 0 dB, SSIM 0 and LPIPS
1; a prediction of another size is an error.
Source: 3DGS's evaluation of saved PNGs.
Disputes: 3DGS's tables use LPIPS-VGG on [0, 1] inputs without rescaling, gsplat's use AlexNet;
torchmetrics mirrors the border for SSIM, as did version 1 of this protocol, and scikit-image leaves
it out.  Compare only within one protocol and version.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import read_rgb
from semsplat.data.scene import Frame, load_image
from semsplat.evaluate.lpips import Lpips

NAME = "rgb/held_out@2"
METRICS = ("psnr", "ssim", "lpips")
SSIM_SIGMA, SSIM_RADIUS = 1.5, 5
"""Of Wang et al. 2004's window of 11 x 11."""


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
    image = read_rgb(predictions_dir / f"{frame.name}.png", (frame.width, frame.height))
    truth = load_image(frame)
    return score_image(image, truth) | lpips.score(image, truth)


def score_image(image: NDArray[np.uint8], truth: NDArray[np.uint8]) -> dict[str, float]:
    """Return PSNR (dB) and SSIM of two images [H, W, 3] uint8; equal images give 100 dB."""
    if np.array_equal(image, truth):
        return {"psnr": 100.0, "ssim": 1.0}
    # here, because it takes seconds, and whoever lists the protocols imports this file
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    # scikit-image averages what lies further inside than its window's radius: of an image with
    # that much of zeros around it, exactly the image.
    border = ((SSIM_RADIUS, SSIM_RADIUS), (SSIM_RADIUS, SSIM_RADIUS), (0, 0))
    similarity = structural_similarity(
        np.pad(image / 255, border),
        np.pad(truth / 255, border),
        gaussian_weights=True,
        sigma=SSIM_SIGMA,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=-1,
    )
    ratio = peak_signal_noise_ratio(truth / 255, image / 255, data_range=1.0)
    return {"psnr": float(ratio), "ssim": float(similarity)}
