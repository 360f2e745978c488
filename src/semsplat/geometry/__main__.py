"""``python -m semsplat.geometry``: reconstruct one scene."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import tyro

from semsplat.errors import one_line_errors
from semsplat.fit.lock import sole_trainer
from semsplat.gpu import claim_device
from semsplat.provenance import Card


def run(scene: Path, out: Path, scratch: Path, config: str, save_every_s: float) -> None:
    """Fit Gaussians to a scene's photographs.

    Args:
        scene: a canonical scene, data/{dataset}/{scene}.
        out: the result folder, results/geometry/{dataset}/{scene}/{seed}.
        scratch: where the resumable state lies.
        config: the run's parameters as JSON (see the command in any run.json).
        save_every_s: seconds between two saved states.
    """
    with one_line_errors(), sole_trainer(scratch), claim_device() as device:
        reconstruct(scene, out, scratch, config, save_every_s, device)


def reconstruct(
    scene_dir: Path, out: Path, scratch: Path, config_json: str, save_every_s: float, device: str
) -> None:
    """Train, then write point_cloud.ply, metrics.jsonl and run.json, the card last."""
    from semsplat.data.scene import load_scene
    from semsplat.fit.loop import fit, warm_up
    from semsplat.fit.schedules import image_scale
    from semsplat.fit.steps import Fit
    from semsplat.fit.trainee import seed_everything
    from semsplat.fit.views import load_view, views_in_order
    from semsplat.geometry.rgb import rgb_objective, start_training
    from semsplat.params.geometry import GeometryRun, Training
    from semsplat.splat.ply import write_ply

    config = GeometryRun.model_validate_json(config_json)
    inputs = {"scene": scene_dir / "manifest.json"}
    card = Card("geometry", "semsplat.geometry.__main__", config.model_dump(), inputs)
    scene = load_scene(scene_dir)
    generator = seed_everything(config.run_seed)
    trainee = start_training(scene, config.geometry, generator, device)
    training = Training(save_every_s=save_every_s, log_every=config.log_every)
    plan = Fit(config.geometry.steps, card.key, scratch, training)
    views = partial(
        views_in_order,
        scene.train,
        seed=config.run_seed,
        scale=partial(image_scale, config=config.geometry.progressive),
        device=device,
    )
    objective = rgb_objective(trainee.gaussians, config.geometry)
    compile_s = warm_up(trainee, objective, load_view(scene.train[0], 1.0, device))
    train_s = fit(plan, trainee, objective, views)
    outputs = {"point_cloud": out / "point_cloud.ply", "metrics": out / "metrics.jsonl"}
    write_ply(outputs["point_cloud"], dict(trainee.gaussians))
    shutil.copyfile(plan.log_path, outputs["metrics"])
    card.write(
        out / "run.json",
        outputs,
        train_s=round(train_s, 2),
        compile_s=round(compile_s, 2),
        n_gaussians=len(trainee.gaussians["means"]),
        n_train_views=len(scene.train),
        device=device,
    )
    shutil.rmtree(scratch)


if __name__ == "__main__":
    tyro.cli(run)
