"""``python -m semsplat.train``: train one setting on one scene."""

from __future__ import annotations

from pathlib import Path

import tyro

from semsplat.errors import one_line_errors
from semsplat.fit.lock import sole_trainer
from semsplat.gpu import claim_device


def run(
    scene: Path,
    lessons: Path,
    out: Path,
    scratch: Path,
    config: str,
    save_every_s: float,
    features: Path | None = None,
) -> None:
    """Fit Gaussians with classes to a scene's photographs and a teacher's lessons.

    Args:
        scene: a canonical scene, data/{dataset}/{scene}; its truth is not read.
        lessons: results/features/{dataset}/{scene}/{teacher}/{seed}.
        out: the result folder, results/train/{dataset}/{scene}/{setting}/{seed}.
        scratch: where the resumable state lies.
        config: the run's parameters as JSON (see the command in any run.json).
        save_every_s: seconds between two saved states.
        features: the features of the teacher's recipe, where it has one.
    """
    with one_line_errors(), sole_trainer(scratch), claim_device() as device:
        from semsplat.train.run import train

        train(scene, lessons, features, out, scratch, config, save_every_s, device)


if __name__ == "__main__":
    tyro.cli(run)
