"""One training from files to files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from semsplat.data.scene import Scene, load_scene
from semsplat.errors import SemsplatError
from semsplat.features.lessons import open_lessons
from semsplat.features.store import open_features
from semsplat.fit.inputs import Inputs
from semsplat.fit.job import Job, Steps, Task
from semsplat.fit.schedules import image_scale
from semsplat.fit.trainee import Trainee, seed_everything
from semsplat.geometry.record import Record, geometry_card, record_of
from semsplat.params.geometry import GeometryJob, Training
from semsplat.params.methods import (
    Frozen,
    Joint,
    Lifted,
    Masked,
    MethodOptions,
    OnGeometry,
    Radiant,
    Taught,
    TrainingJob,
)
from semsplat.paths import FIELD_FILE
from semsplat.provenance import Card
from semsplat.train.attached import SEMANTICS
from semsplat.train.follow import (
    FOLLOWED,
    Follower,
    cost_followed,
    following_objective,
    start_following,
)
from semsplat.train.lift_task import LiftTask, start_lifted
from semsplat.train.methods import Attachment, Stage, method, method_options, shown_of
from semsplat.train.model import FieldFacts, write_field
from semsplat.train.objectives import (
    frozen_objective,
    joint_objective,
    start_frozen,
    start_joint,
)


@dataclass(frozen=True)
class Places:
    """The folders that a training reads; which it needs is the method's matter."""

    scene: Path
    lessons: Path | None
    features: Path | None
    geometry: Path | None
    records: Path | None = None  # nothing depends on them but the time it takes

    def inputs(self) -> dict[str, Path]:
        """Return the files on which the result depends."""
        folders = {"scene": self.scene, "lessons": self.lessons, "features": self.features}
        files = {name: folder / "manifest.json" for name, folder in folders.items() if folder}
        return files | ({"geometry": self.geometry / "point_cloud.ply"} if self.geometry else {})


def train(
    places: Places, out: Path, scratch: Path, config_json: str, save_every_s: float, device: str
) -> None:
    """Train, then write the Gaussians, their semantics, the curves and run.json, the card last."""
    config = TrainingJob.model_validate_json(config_json)
    module = method(config.method)
    options = method_options(config.method).model_validate(config.options)
    _check(config.method, options, places)
    modules = ("semsplat.train.run", module.__name__)
    card = Card("train", modules, config.model_dump(), places.inputs())
    training = Training(save_every_s=save_every_s, log_every=config.log_every)
    record = _record(config, options, places, device)
    way = FOLLOWED if record else ""
    job = Job(card, out, scratch, training, Inputs(device), (FIELD_FILE,), way)
    scene = load_scene(places.scene)
    lessons = open_lessons(places.lessons) if places.lessons else None
    names = tuple(frame.name for frame in scene.train)
    features = open_features(places.features, names) if places.features else None
    seed_everything(config.run_seed)
    start = time.monotonic()
    attachment = module.attach(options, lessons, features)
    prepare_s = round(time.monotonic() - start, 2)
    seed_everything(config.run_seed)  # whatever the decoder drew: the Gaussians start alike
    trainee = _start(config, options, scene, places.geometry, attachment, device)
    if record:
        trainee = start_following(trainee, record)
    stage = Stage(
        scene.train,
        lessons,
        features,
        trainee.gaussians,
        attachment.decoder,
        job.inputs,
        config.run_seed,
    )
    task = _task(config, options, trainee, stage)
    numbers = job.fit(task, scene) | _sizes(trainee) | {"prepare_s": prepare_s, **attachment.facts}
    if record:
        numbers |= cost_followed(record, numbers["train_s"])
    class_ids = lessons.class_ids if lessons else attachment.class_ids
    write_field(out / FIELD_FILE, trainee, FieldFacts(config.method, class_ids, attachment.shape))
    job.finish(numbers)


def _record(
    config: TrainingJob, options: MethodOptions, places: Places, device: str
) -> Record | None:
    """Return the record of the geometry that the semantics leave alone, if there is one."""
    alone = isinstance(options, Joint) and not options.moves_geometry
    if places.records is None or device != "cpu" or not alone:
        return None
    same = {name: getattr(config, name) for name in GeometryJob.model_fields}
    record = record_of(places.records, geometry_card(GeometryJob(**same), places.scene))
    return record if record.exists else None


def _check(name: str, options: MethodOptions, places: Places) -> None:
    """Raise where a folder that the method needs is not given."""
    needs = {OnGeometry: ("features", "geometry"), Masked: ("features",), Taught: ("lessons",)}
    needs |= {Radiant: ("features",)}
    for need in next(names for kind, names in needs.items() if isinstance(options, kind)):
        if getattr(places, need) is None:
            raise SemsplatError(f"{name} learns from {need}; give --{need}")


def _start(
    config: TrainingJob,
    options: MethodOptions,
    scene: Scene,
    geometry_dir: Path | None,
    attachment: Attachment,
    device: str,
) -> Trainee:
    """Return what the method's kind trains."""
    geometry, seed = config.geometry, config.run_seed
    if isinstance(options, Radiant):
        fielded: Trainee = method(config.method).start(options, scene, geometry, attachment, device)
        return fielded
    if isinstance(options, Lifted):
        assert geometry_dir is not None
        return start_lifted(geometry_dir, attachment, device)
    if isinstance(options, Frozen):
        assert geometry_dir is not None
        return start_frozen(geometry_dir, attachment, geometry.adam_eps, seed, device)
    return start_joint(scene, geometry, attachment, seed, device)


def _task(config: TrainingJob, options: MethodOptions, trainee: Trainee, stage: Stage) -> Steps:
    """Return what the method's kind does, for how long, and on views of which size."""
    geometry, seed, shown = config.geometry, config.run_seed, shown_of(config.method)
    module = method(config.method)
    if isinstance(options, Radiant):
        steps: Steps = module.task(options, trainee, stage)
        return steps
    ahead = module.reads(options, stage)
    if isinstance(options, Lifted):
        lift, n_views = module.lift(options, stage), len(stage.frames)
        return LiftTask(trainee, lift, n_views, seed, ahead)
    terms = module.semantic_terms(options, stage)
    if isinstance(options, Frozen):
        scale = options.image_scale
        objective = frozen_objective(trainee, terms, shown)
        return Task(trainee, objective, options.steps, lambda _: scale, seed, ahead, False)
    assert isinstance(options, Joint)
    growing = partial(image_scale, config=geometry.progressive)
    follows = isinstance(trainee.density, Follower)
    if follows:
        objective = following_objective(trainee, terms, options, shown)
    else:
        objective = joint_objective(trainee, geometry, terms, options, shown)
    return Task(trainee, objective, geometry.steps, growing, seed, ahead, not follows)


def _sizes(trainee: Trainee) -> dict[str, float]:
    """Return width and memory of the semantics, in training on a GPU also the peak."""
    semantics = trainee.gaussians[SEMANTICS]
    sizes = {
        "semantic_dim": semantics.shape[1],
        "semantic_mb": round(semantics.numel() * semantics.element_size() / 2**20, 3),
    }
    if semantics.is_cuda:
        sizes["peak_gpu_mb"] = torch.cuda.max_memory_allocated() // 2**20
    return sizes
