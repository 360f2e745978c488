"""``python -m semsplat.geometry``: reconstruct one scene."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from semsplat.commands import OutFolder, run_command
from semsplat.fit.lock import sole_trainer
from semsplat.fit.schedules import image_scale
from semsplat.gpu import claim_device
from semsplat.params.geometry import GeometryJob, Training


def run(
    scene: Path,
    out: OutFolder,
    scratch: Path,
    config: str,
    save_every_s: float,
    records: Path | None = None,
    followers: int = 0,
) -> None:
    """Fit Gaussians to a scene's photographs.

    Args:
        scene: a canonical scene, data/{dataset}/{scene}.
        out: the result folder, results/geometry/{dataset}/{scene}/{seed}.
        scratch: where the resumable state lies.
        config: the run's parameters as JSON (see the command in any run.json).
        save_every_s: seconds between two saved states.
        records: where a record of the steps is left for trainings of this scene and seed.
        followers: how many trainings will follow it; for none, and on a GPU, whose steps are many
            and large, none is left.
    """
    with sole_trainer(scratch), claim_device() as device:
        wanted = records if followers and device == "cpu" else None
        reconstruct(scene, out, scratch, config, save_every_s, device, wanted)


def reconstruct(
    scene_dir: Path,
    out: Path,
    scratch: Path,
    config_json: str,
    save_every_s: float,
    device: str,
    records: Path | None = None,
) -> None:
    """Train, then write point_cloud.ply, metrics.jsonl and run.json, the card last."""
    from semsplat.data.scene import load_scene
    from semsplat.fit.inputs import Inputs
    from semsplat.fit.job import Job, Task
    from semsplat.fit.trainee import seed_everything
    from semsplat.geometry.record import geometry_card, record_of
    from semsplat.geometry.recorder import Recorder
    from semsplat.geometry.rgb import colour_terms, rgb_objective, start_training

    config = GeometryJob.model_validate_json(config_json)
    card = geometry_card(config, scene_dir)
    training = Training(save_every_s=save_every_s, log_every=config.log_every)
    job = Job(card, out, scratch, training, Inputs(device))
    scene = load_scene(scene_dir)
    generator = seed_everything(config.run_seed)
    trainee = start_training(scene, config.geometry, generator, device)
    recorder = None
    if records and trainee.density and not (record := record_of(records, card)).exists:
        trainee.density = recorder = Recorder(trainee.density, record)
    colours = recorder.colour_terms if recorder else colour_terms
    objective = rgb_objective(trainee.gaussians, config.geometry, colours)
    scale = partial(image_scale, config=config.geometry.progressive)
    task = Task(trainee, objective, config.geometry.steps, scale, config.run_seed)
    numbers = job.fit(task, scene)
    if recorder:
        recorder.finish(trainee.gaussians, task.steps, numbers["train_s"])
    job.finish(numbers)


if __name__ == "__main__":
    run_command(run)
