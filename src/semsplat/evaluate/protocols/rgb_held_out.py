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

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.cases import Numbers, mean_of_cases
from semsplat.evaluate.lpips import Lpips

NAME = "rgb/held_out@2"
METRICS = {"psnr": 100.0, "ssim": 1.0, "lpips": 0.0}
CASES = "photographs"
SSIM_SIGMA, SSIM_RADIUS = 1.5, 5
"""Of Wang et al. 2004's window of 11 x 11."""


class Photograph(NamedTuple):
    """What a view truly looks like, and by what images are compared with it."""

    image: NDArray[np.uint8]  # [H, W, 3]
    lpips: Lpips


def score(prediction: NDArray[np.uint8] | None, truth: Photograph) -> Numbers:
    """Return the metrics of one view, PSNR in dB; a missing image has the worst of each.

    LPIPS, of which 0 is best, there is where its weights are.
    """
    if prediction is None:
        return {"psnr": 0.0, "ssim": 0.0} | ({"lpips": 1.0} if truth.lpips.available else {})
    return score_image(prediction, truth.image) | truth.lpips.score(prediction, truth.image)


aggregate = mean_of_cases(NAME)


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
