"""One training from files to files."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import torch

from semsplat.data.scene import load_scene
from semsplat.features.lessons import open_lessons
from semsplat.features.store import open_features
from semsplat.fit.loop import fit, warm_up
from semsplat.fit.schedules import image_scale
from semsplat.fit.steps import Fit
from semsplat.fit.trainee import Trainee, seed_everything
from semsplat.fit.views import load_view, views_in_order
from semsplat.params.geometry import Training
from semsplat.params.methods import TrainRun
from semsplat.provenance import Card
from semsplat.splat.ply import write_ply
from semsplat.train.methods import Stage, method, method_options
from semsplat.train.model import FILE, write_field
from semsplat.train.objective import joint_objective
from semsplat.train.start import SEMANTICS, start_joint


def train(
    scene_dir: Path,
    lessons_dir: Path,
    features_dir: Path | None,
    out: Path,
    scratch: Path,
    config_json: str,
    save_every_s: float,
    device: str,
) -> None:
    """Train, then write the Gaussians, their semantics, the curves and run.json, the card last."""
    config = TrainRun.model_validate_json(config_json)
    module, geometry = method(config.method), config.geometry
    options = method_options(config.method).model_validate(config.options)
    inputs = {"scene": scene_dir / "manifest.json", "lessons": lessons_dir / "manifest.json"}
    inputs |= {"features": features_dir / "manifest.json"} if features_dir else {}
    modules = ("semsplat.train.run", module.__name__)
    card = Card("train", modules, config.model_dump(), inputs)
    scene, lessons = load_scene(scene_dir), open_lessons(lessons_dir)
    features = open_features(features_dir) if features_dir else None
    seed_everything(config.run_seed)
    attachment = module.attach(options, lessons, features)
    seed_everything(config.run_seed)  # whatever the decoder drew: the Gaussians start alike
    trainee = start_joint(scene, geometry, attachment, config.run_seed, device)
    stage = Stage(scene.train, lessons, features, trainee.gaussians, attachment.decoder, device)
    terms = module.semantic_terms(options, stage)
    objective = joint_objective(trainee, geometry, terms, options.moves_geometry)
    training = Training(save_every_s=save_every_s, log_every=config.log_every)
    plan = Fit(geometry.steps, card.key, scratch, training)
    scale = partial(image_scale, config=geometry.progressive)
    views = partial(views_in_order, scene.train, seed=config.run_seed, scale=scale, device=device)
    compile_s = warm_up(trainee, objective, load_view(scene.train[0], 1.0, device))
    train_s = fit(plan, trainee, objective, views)
    outputs = _write(out, plan, trainee, config.method, lessons.class_ids)
    card.write(
        out / "run.json",
        outputs,
        train_s=round(train_s, 2),
        compile_s=round(compile_s, 2),
        n_train_views=len(scene.train),
        device=device,
        **_sizes(trainee),
    )
    shutil.rmtree(scratch)


def _write(
    out: Path, plan: Fit, trainee: Trainee, method_name: str, class_ids: list[int]
) -> dict[str, Path]:
    """Write the results and return their paths."""
    names = {"point_cloud": "point_cloud.ply", "semantics": FILE, "metrics": "metrics.jsonl"}
    outputs = {key: out / name for key, name in names.items()}
    write_ply(outputs["point_cloud"], dict(trainee.gaussians))
    write_field(outputs["semantics"], trainee, method_name, class_ids)
    shutil.copyfile(plan.log_path, outputs["metrics"])
    return outputs


def _sizes(trainee: Trainee) -> dict[str, float]:
    """Return counts and the memory that the semantics take, in training on a GPU also the peak."""
    semantics = trainee.gaussians[SEMANTICS]
    sizes = {
        "n_gaussians": len(semantics),
        "semantic_dim": semantics.shape[1],
        "semantic_mb": round(semantics.numel() * semantics.element_size() / 2**20, 3),
    }
    if semantics.is_cuda:
        sizes["peak_gpu_mb"] = torch.cuda.max_memory_allocated() // 2**20
    return sizes
