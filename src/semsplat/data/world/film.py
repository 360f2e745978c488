"""From radiance to photographs: exposure, tone curve, sRGB, sensor noise, 8 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.data.world.cameras import camera_path
from semsplat.data.world.primitives import World
from semsplat.data.world.raycast import render_view

_KEY_PERCENTILE = 60.0
_KEY_LEVEL = 0.38
_NOISE_LEVELS = 0.5
_PROBES = 6


def measure_exposure(world: World, hfov_deg: float) -> float:
    """Return the exposure that brings a world's typical surface to a mid tone, for all its views.

    One value serves the whole path, as on a camera with locked exposure.
    """
    poses = camera_path(world, _PROBES)
    views = [render_view(world, pose, 40, 30, hfov_deg, samples=2) for pose in poses]
    luminance = np.stack([v.radiance for v in views]).mean(axis=-1)
    key = float(np.percentile(luminance, _KEY_PERCENTILE))
    return -np.log(1.0 - _KEY_LEVEL) / max(key, 1e-6)


def srgb_encode(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return sRGB-encoded values in [0, 1] for linear ones (clipped to [0, 1])."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def develop(
    radiance: NDArray[np.float32], exposure: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a photograph uint8 [H, W, 3] of radiance [H, W, 3].

    The tone curve ``1 - exp(-x)`` keeps highlights; the noise has half a grey level deviation.
    """
    toned = 255.0 * srgb_encode(1.0 - np.exp(-exposure * radiance.astype(np.float64)))
    noisy = toned + rng.normal(0.0, _NOISE_LEVELS, toned.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
