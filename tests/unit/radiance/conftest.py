"""A small radiance field."""

from __future__ import annotations

from typing import Any

from semsplat.params.methods import Radiance

SMALL: dict[str, Any] = {
    "density": 2, "colours": 2, "cells": 8, "hidden": 8, "inner_share": 0.8, "near": 0.02,
    "calm": 0.2, "coarse": 16, "fine": 8, "distortion": 3e-4, "rays": 32, "steps": 10,
    "steps_floor": 4, "lr": {"grids": 0.02, "networks": 0.005, "last": 0.1},
}  # fmt: skip


def small(**changes: Any) -> Radiance:
    """Return the options of a small field."""
    return Radiance(**{**SMALL, **changes})
