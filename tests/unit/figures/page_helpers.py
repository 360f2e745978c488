"""A small suite with everything that its page can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from semsplat.data.images import write_png
from semsplat.figures import claims, costs, findings, leaderboard, paper_table, summary
from semsplat.figures.packed.arrays import Blob, write_packed
from semsplat.figures.packed.shapes import pack_model
from semsplat.figures.page import write_page
from tests.unit.data.scene_helpers import random_image
from tests.unit.figures.referee_helpers import trainings, write_speed, write_training

FOLDER = Path("paper_figures/demo")
PAGE = FOLDER / "index.html"
ALONE = Path("results/report/demo.html")
SCENE = FOLDER / "splats/procedural/room.json"
BOARDS: dict[str, Any] = {
    "systems": {"clipgs_b": "SAC", "clipgs_c": "SAC and 3DCS"},
    "boards": {"Class maps": ["miou", "accuracy"]},
}
ABOUT = {"maps": "Class maps of held-out views."}
VIEWMAT = np.eye(4)
VIEWMAT[2, 3] = 4.0
FOCAL, WIDTH, HEIGHT = 1.1, 160, 120
CLASSES = {
    "colours": [[64, 64, 64], [255, 0, 0], [0, 90, 255]],
    "names": ["no label", "rug", "sofa"],
}


def some_gaussians(count: int = 600) -> dict[str, Tensor]:
    """Gaussians of all shapes in a box before the camera; those on the right are blue."""
    made = torch.Generator().manual_seed(5)
    means = torch.rand(count, 3, generator=made) * 3 - 1.5
    colours = torch.rand(count, 1, 3, generator=made) - 0.5
    colours[means[:, 0] > 0, 0, 2] += 1
    return {
        "means": means,
        "quats": torch.randn(count, 4, generator=made),
        "scales": torch.rand(count, 3, generator=made) * 4 - 5.5,
        "opacities": torch.rand(count, generator=made) * 6 - 2,
        "sh0": colours,
        "shN": torch.zeros(count, 15, 3),
    }


def write_small_scene(out: Path) -> dict[str, Tensor]:
    """Write a scene of two channels, and return its Gaussians."""
    gaussians, blob = some_gaussians(), Blob()
    rows = np.arange(len(gaussians["means"]))
    classes = np.where(gaussians["means"][:, 0] > 0, 2, 1).astype(np.uint8)
    model = pack_model(gaussians, rows, blob)
    shared: dict[str, Any] = {"whose": "CLIP-GS", "asked": "", "note": "Made.", "model": 0}
    channels = [
        {**shared, "group": "colours", "kind": "colours"},
        {**shared, "group": "classes", "kind": "classes", "at": blob.add(classes)},
    ]
    camera = {"viewmat": VIEWMAT.ravel().tolist(), "focal": FOCAL, "aspect": WIDTH / HEIGHT}
    header = {
        **{"scene": "procedural/room", "seed": 0, "sources": ["key"], "height": HEIGHT},
        "cameras": [{"name": "rgb_0", **camera, "distance": 4.0}],
        **{"up": [0.0, -1.0, 0.0], "models": [model], "channels": channels},
        "palettes": {"classes": CLASSES},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    write_packed(out, header, blob)
    return gaussians


def write_project(decided: bool = True) -> None:
    """A project whose page has a scene, verdicts, a table, a picture, costs and runs.

    With one scene and one seed nothing is decided.
    """
    of: dict[str, Any] = {} if decided else {"scenes": ("procedural/room",), "seeds": 1}
    shown = trainings("clipgs_b", "clipgs_c", **of)
    for training in shown:
        value = 0.5 + 0.1 * (training.setting == "clipgs_c") + 0.01 * training.seed
        write_training(training, miou=value, accuracy=0.9)
    write_speed(shown, fps=20.0)
    paper_table.draw(shown, paper_table.Options(table="clipgs_table3"), FOLDER / "clipgs_table3.md")
    claims.draw(shown, claims.Options(rules=2), FOLDER / "claims.md")
    costs.draw(shown, costs.Options(), FOLDER / "costs.md")
    leaderboard.draw(shown, leaderboard.Options(**BOARDS, costs=["fps"]), FOLDER / "leaderboard.md")
    told = findings.Options(paper="CLIP-GS", rules=2)
    findings.draw(shown, told, FOLDER / "clipgs_findings.md")
    options = summary.Options(measures={"clipgs_table3": "miou"}, rules=2)
    summary.draw(shown, options, FOLDER / "summary.md")
    write_png(FOLDER / "maps/procedural/room/0.png", random_image())
    write_small_scene(SCENE)
    (FOLDER / "scores.md").write_text("| a |\n")
    texts = [
        "clipgs_findings",
        "claims",
        "clipgs_table3",
        "costs",
        "summary",
        "scores",
        "leaderboard",
    ]
    files = [*(FOLDER / f"{name}.md" for name in texts), FOLDER / "maps/procedural/room/0.png"]
    write_page("demo", [SCENE, *files], shown, PAGE, ALONE, ABOUT)
