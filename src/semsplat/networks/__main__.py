"""``python -m semsplat.networks draw|train-sam|train-clip|quality|tune-sam``.

How the networks came about, and how good they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from semsplat.commands import OutFolder, run_one_of
from semsplat.features.weights import PACKAGED
from semsplat.fit.lock import sole_trainer
from semsplat.folders import claim
from semsplat.log import progress
from semsplat.params.geometry import Training
from semsplat.params.networks import ClipJob, Pictures, SamJob
from semsplat.params.quality import QualityJob, TuningJob
from semsplat.provenance import Card

if TYPE_CHECKING:
    from semsplat.networks.pictures import PictureSet
    from semsplat.networks.tiny_clip.train import ClipTrainee
    from semsplat.networks.tiny_sam.train import SamTrainee


@dataclass(frozen=True)
class Job:
    """Where a training reads and writes."""

    pictures: list[Path]
    """archives to learn from"""
    unseen: Path
    """an archive for the curves"""
    out: OutFolder
    """the folder for weights.safetensors, metrics.jsonl and run.json"""
    scratch: Path
    """where the resumable state lies"""
    save_every_s: float
    """seconds between two saved states"""

    def load(self) -> tuple[PictureSet, PictureSet]:
        """Return the pictures to learn from and the unseen ones."""
        from semsplat.networks.pictures import load_pictures

        return load_pictures(self.pictures), load_pictures([self.unseen])


def draw(first_seed: int, count: int, shape: str, out: Path) -> None:
    """Draw the pictures of consecutive worlds.

    Args:
        first_seed: seed of the first world.
        count: number of worlds.
        shape: how they are drawn, as JSON.
        out: the archive to write.
    """
    from semsplat.networks.pictures import draw_pictures

    config = Pictures.model_validate_json(shape)
    seeds = progress(range(first_seed, first_seed + count), "draw")
    draw_pictures(seeds, config).save(out)


def train_sam(job: Job, config: str) -> None:
    """Train the tiny SAM; ``config`` is a `SamJob` as JSON."""
    from semsplat.features.embedded.archive import halved, write_weights
    from semsplat.networks.tiny_sam.train import SamTrainee

    run = SamJob.model_validate_json(config)
    trainee = SamTrainee(run.shape, run.training, *job.load())
    with _trained("tiny_sam", job, run, trainee) as weights:
        write_weights(weights, halved(trainee.sam), run.shape)


def train_clip(job: Job, config: str) -> None:
    """Train the tiny CLIP; ``config`` is a `ClipJob` as JSON."""
    from semsplat.features.embedded.clip import save_clip
    from semsplat.networks.tiny_clip.train import ClipTrainee

    run = ClipJob.model_validate_json(config)
    trainee = ClipTrainee(run.shape, run.training, *job.load())
    with _trained("tiny_clip", job, run, trainee) as weights:
        save_clip(weights, trainee.model.eval(), run.shape, trainee.token_ids)


def quality(
    config: str,
    out: Path,
    clip: Path = PACKAGED / "tiny_clip.safetensors",
    sam: Path = PACKAGED / "tiny_sam.safetensors",
) -> None:
    """Judge both networks on unseen worlds, print a table and write JSON.

    Args:
        config: a `QualityJob` as JSON.
        out: the JSON file.
        clip: weights of the tiny CLIP.
        sam: weights of the tiny SAM.
    """
    from semsplat.networks.quality.report import measure

    measure(clip, sam, QualityJob.model_validate_json(config), out)


def tune_sam(config: str, out: Path, sam: Path = PACKAGED / "tiny_sam.safetensors") -> None:
    """Try thresholds of automatic masks on worlds of their own and print the best.

    Args:
        config: a `TuningJob` as JSON.
        out: the JSON file.
        sam: weights of the tiny SAM.
    """
    from semsplat.networks.quality.report import choose_thresholds

    choose_thresholds(sam, TuningJob.model_validate_json(config), out)


@contextmanager
def _trained(
    network: str, job: Job, run: SamJob | ClipJob, trainee: SamTrainee | ClipTrainee
) -> Iterator[Path]:
    """Train, yield where the weights belong, then write curves and card, the card last."""
    from semsplat.fit.steps import Fit, remove_state, run_steps

    inputs = {path.stem: path for path in [*job.pictures, job.unseen]}
    card = Card("networks", f"semsplat.networks.{network}.train", run.model_dump(), inputs)
    training = Training(save_every_s=job.save_every_s, log_every=run.log_every)
    plan = Fit(trainee.total_steps, card.key, job.scratch, training)
    outputs = [job.out / "weights.safetensors", job.out / "metrics.jsonl"]
    claim(job.out, [path.name for path in outputs] + ["run.json"])
    with sole_trainer(job.scratch):
        seconds = run_steps(plan, trainee.learner, trainee.steps)
        yield outputs[0]
        shutil.copyfile(plan.log_path, outputs[1])
        n_pictures = len(trainee.pictures)
        card.write(job.out / "run.json", outputs, train_s=round(seconds, 1), n_pictures=n_pictures)
        remove_state(job.scratch)


if __name__ == "__main__":
    run_one_of(
        {
            "draw": draw,
            "train-sam": train_sam,
            "train-clip": train_clip,
            "quality": quality,
            "tune-sam": tune_sam,
        }
    )
