"""What the project promises of one big GPU, with 1.5 million Gaussians at 640 x 480."""

from __future__ import annotations

from semsplat.bench.gpu.steps import Bench, Said

STEP_MS, FPS, PEAK_MB = 30.0, 176.0, 40 * 1024
"""A step of CLIP-GS and the memory of Feature 3DGS at most, frames of class maps at least."""


def check(bench: Bench) -> Said:
    """Judge what `speed` measured in this run."""
    speed = bench.found.get("speed")
    if not bench.size.bars:
        return Said({}, [], "the bars are those of the full size")
    if not speed:
        return Said({}, [], "speed was not measured")
    clip_gs, feature = speed["clip_gs"], speed["feature_3dgs"]
    numbers = {
        "clip_gs_step_ms": [clip_gs["step_ms"], STEP_MS],
        "clip_gs_fps": [clip_gs["fps"], FPS],
        "feature_3dgs_peak_gpu_mb": [feature["peak_gpu_mb"], PEAK_MB],
    }
    met = clip_gs["step_ms"] <= STEP_MS, clip_gs["fps"] >= FPS, feature["peak_gpu_mb"] <= PEAK_MB
    missed = [
        f"{name}: {found}, the bar is {bar}"
        for (name, (found, bar)), good in zip(numbers.items(), met, strict=True)
        if not good
    ]
    return Said(numbers, missed)
