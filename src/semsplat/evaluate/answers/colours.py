"""Colours and depth of held-out views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.data.images import read_rgb, write_png
from semsplat.evaluate.answers import Asked, Judged, Scores
from semsplat.evaluate.cases import Case, aggregate, counted, judge
from semsplat.evaluate.lpips import Lpips
from semsplat.evaluate.protocols import protocols_of, rgb_held_out
from semsplat.evaluate.protocols.rgb_held_out import Photograph
from semsplat.log import progress
from semsplat.params.evaluate import ColourScores, Evaluate

PREDICTS_FROM = ()
SCORES_WITH = ()
CASES = ("photographs",)


def score_options(evaluate: Evaluate) -> ColourScores:
    """Return which LPIPS is scored."""
    return ColourScores(lpips_net=evaluate.lpips_net)


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write ``{frame}.png`` (8-bit RGB) and ``{frame}.npz`` (expected depth) per held-out view.

    ``depth`` [H, W] float16 is z in scene units, 0 where nothing is drawn.
    """
    from semsplat.geometry.trained import open_geometry, render_frame

    trained, frames = open_geometry(asked.model_dir, asked.device), asked.scene.test
    for frame in progress(frames, "render"):
        image, depth = render_frame(trained, frame)
        write_png(folder / f"{frame.name}.png", image)
        np.savez_compressed(folder / f"{frame.name}.npz", depth=depth)
    return {}


def score(judged: Judged) -> Scores:
    """Return what ``scores.json`` says of held-out views.

    Where a benchmark trains on every view, as GAGS's does, there is no score, and it says so.
    """
    lpips = Lpips(ColourScores.model_validate(judged.options).lpips_net)
    cases = _cases(judged, lpips)
    absent = {} if lpips.available else {"lpips": lpips.reason}
    absent |= {} if cases else dict.fromkeys(rgb_held_out.METRICS, "no view is held out")
    protocols = protocols_of("photographs")
    return {
        "n_views": len(cases),
        "missing": [case.frame for case in cases if not case.predicted],
        "counts": {protocol.NAME: counted(cases) for protocol in protocols},
        "absent": absent,
        "metrics": aggregate(protocols, cases),
        "views": {case.frame: case.values for case in cases},
    }


def _cases(judged: Judged, lpips: Lpips) -> list[Case]:
    """Return a case per held-out view."""
    from semsplat.data.scene import load_image

    protocols, cases = protocols_of("photographs"), []
    for frame in judged.scene.test:
        path = judged.predictions_dir / f"{frame.name}.png"
        image = read_rgb(path, (frame.width, frame.height)) if path.is_file() else None
        cases.append(judge(protocols, frame.name, "", image, Photograph(load_image(frame), lpips)))
    return cases
