"""Parameters of shorter runs."""

from __future__ import annotations

from semsplat.params.geometry import Geometry


def scaled_geometry(geometry: Geometry, factor: float) -> Geometry:
    """Return the geometry parameters with every iteration count times ``factor``."""

    def steps(count: int, floor: int = 1) -> int:
        return max(round(count * factor), min(count, floor))

    densify, progressive = geometry.densify, geometry.progressive
    longest = progressive.interval_start / densify.every  # in intervals, which have a floor
    new_densify = {
        "start": steps(densify.start),
        "stop": steps(densify.stop),
        "every": steps(densify.every, densify.every_floor),
        "reset_every": steps(densify.reset_every, densify.reset_floor),
    }
    new_progressive = {
        "scale_steps": steps(progressive.scale_steps),
        "interval_start": steps(progressive.interval_start, round(longest * densify.every_floor)),
        "interval_steps": steps(progressive.interval_steps),
    }
    new = {
        "steps": steps(geometry.steps),
        "sh_every": steps(geometry.sh_every),
        "densify": densify.model_copy(update=new_densify),
        "progressive": progressive.model_copy(update=new_progressive),
    }
    return geometry.model_copy(update=new)
