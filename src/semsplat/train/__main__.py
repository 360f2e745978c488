"""``python -m semsplat.train``: train one setting on one scene."""

from __future__ import annotations

from pathlib import Path

from semsplat.commands import OutFolder, run_command
from semsplat.fit.lock import sole_trainer
from semsplat.gpu import claim_device


def run(
    scene: Path,
    out: OutFolder,
    scratch: Path,
    config: str,
    save_every_s: float,
    lessons: Path | None = None,
    features: Path | None = None,
    geometry: Path | None = None,
    records: Path | None = None,
) -> None:
    """Train a setting's method on a scene; methods that need no lessons get none, and so on.

    Args:
        scene: a canonical scene, data/{dataset}/{scene}; its truth is not read.
        out: the result folder, results/train/{dataset}/{scene}/{setting}/{seed}.
        scratch: where the resumable state lies.
        config: the run's parameters as JSON (see the command in any run.json).
        save_every_s: seconds between two saved states.
        lessons: results/lessons/{dataset}/{scene}/{teacher}/{seed}.
        features: the features of the method's recipe, or of its teacher's.
        geometry: results/geometry/{dataset}/{scene}/{seed}, for methods that leave it as it is.
        records: of the geometry of this scene and seed, for methods whose semantics stay out of it.
    """
    with sole_trainer(scratch), claim_device() as device:
        from semsplat.train.run import Places, train

        places = Places(scene, lessons, features, geometry, records)
        train(places, out, scratch, config, save_every_s, device)


if __name__ == "__main__":
    run_command(run)
