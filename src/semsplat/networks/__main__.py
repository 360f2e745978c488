"""``python -m semsplat.networks draw|train-sam``: how the embedded networks came about."""

from __future__ import annotations

import shutil
from pathlib import Path

import tyro

from semsplat.errors import one_line_errors
from semsplat.fit.lock import sole_trainer
from semsplat.log import progress
from semsplat.provenance import Card


def draw(first_seed: int, count: int, shape: str, out: Path) -> None:
    """Draw the pictures of consecutive worlds.

    Args:
        first_seed: seed of the first world.
        count: number of worlds.
        shape: how they are drawn, as JSON.
        out: the archive to write.
    """
    from semsplat.networks.pictures import draw_pictures
    from semsplat.params.networks import Pictures

    config = Pictures.model_validate_json(shape)
    seeds = progress(range(first_seed, first_seed + count), "draw", total=count)
    draw_pictures(seeds, config).save(out)


def train_sam(
    pictures: list[Path], unseen: Path, out: Path, scratch: Path, config: str, save_every_s: float
) -> None:
    """Train the tiny SAM.

    Args:
        pictures: archives to learn from.
        unseen: an archive for the curves.
        out: the folder for weights.safetensors, metrics.jsonl and run.json.
        scratch: where the resumable state lies.
        config: shape and training as JSON.
        save_every_s: seconds between two saved states.
    """
    from semsplat.fit.steps import Fit, run_steps
    from semsplat.networks.pictures import load_pictures
    from semsplat.networks.tiny_sam.model import save_sam
    from semsplat.networks.tiny_sam.train import SamTrainee
    from semsplat.params.geometry import Training
    from semsplat.params.networks import SamRun

    run = SamRun.model_validate_json(config)
    inputs = {path.stem: path for path in [*pictures, unseen]}
    card = Card("networks", "semsplat.networks.tiny_sam.train", run.model_dump(), inputs)
    with sole_trainer(scratch):
        learned, checked = load_pictures(pictures), load_pictures([unseen])
        trainee = SamTrainee(run.shape, run.training, learned, checked)
        training = Training(save_every_s=save_every_s, log_every=run.log_every)
        plan = Fit(trainee.total_steps, card.key, scratch, training)
        seconds = run_steps(plan, trainee.learner, trainee.steps)
        outputs = {"weights": out / "weights.safetensors", "metrics": out / "metrics.jsonl"}
        save_sam(outputs["weights"], trainee.sam, run.shape)
        shutil.copyfile(plan.log_path, outputs["metrics"])
        card.write(out / "run.json", outputs, train_s=round(seconds, 1), n_pictures=len(learned))
        shutil.rmtree(scratch)


def main() -> None:
    """Run one of the commands."""
    with one_line_errors():
        tyro.extras.subcommand_cli_from_dict({"draw": draw, "train-sam": train_sam})


if __name__ == "__main__":
    main()
