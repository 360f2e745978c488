"""A splat as a finished run of nerfstudio's splatfacto, which ``ns-viewer`` opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from semsplat.errors import SemsplatError
from semsplat.io import atomic_path

CONFIG_FILE = "config.yml"
RUN_SUFFIX = Path(CONFIG_FILE).suffix
METHOD, TIMESTAMP, CHECKPOINTS = "splatfacto", "exported", "nerfstudio_models"
"""Names of folders: {output_dir}/{experiment_name}/{METHOD}/{TIMESTAMP}/{CHECKPOINTS}."""
STEP = 0
KEYS = {"means": "means", "scales": "scales", "quats": "quats", "opacities": "opacities"} | {
    "sh0": "features_dc",
    "shN": "features_rest",
}
"""Splatfacto's names of what Gaussians hold."""
N_REPLACED = 16
"""Random Gaussians that splatfacto makes before it reads the checkpoint's in their place."""


class _Made:
    """An object that nerfstudio makes, of a class by its name, when it reads the file."""

    def __init__(self, name: str, *args: str, **kwds: Any) -> None:
        self.name, self.parts = name, {"args": list(args), "kwds": kwds}


class _Dumper(yaml.SafeDumper):
    """Writes what is made by name as PyYAML's tag for that."""


def _represent(dumper: yaml.SafeDumper, made: _Made) -> yaml.Node:
    parts = {key: part for key, part in made.parts.items() if part}
    return dumper.represent_mapping(f"tag:yaml.org,2002:python/object/apply:{made.name}", parts)


_Dumper.add_representer(_Made, _represent)


def write_run(config: Path, gaussians: dict[str, Tensor], background: str, scene_dir: Path) -> None:
    """Write ``config.yml``, and beside it a folder with the checkpoint that it leads to.

    ``ns-viewer --load-config`` reads both, and the scene's cameras and images from where they lie.

    Args:
        config: the file, named ``config.yml`` as nerfstudio's are.
        gaussians: keys of `semsplat.splat.gaussians`, in the coordinates of the scene's
            ``transforms.json``.
        background: "black" or "white".
        scene_dir: the canonical scene.

    Raises:
        SemsplatError: the file has another name, or what goes beside it is there already.
    """
    if config.name != CONFIG_FILE:
        raise SemsplatError(f"{config}: ns-viewer opens {CONFIG_FILE}; name it so, in a new folder")
    beside = config.parent / scene_dir.name
    if beside.exists():
        raise SemsplatError(f"{beside}: is there already; name another folder")
    value = {of: gaussians[key].detach().cpu().float() for key, of in KEYS.items()}
    value["features_dc"] = value["features_dc"][:, 0]
    value["opacities"] = value["opacities"].reshape(-1, 1)
    pipeline = {f"_model.gauss_params.{name}": of for name, of in value.items()}
    checkpoint = beside / METHOD / TIMESTAMP / CHECKPOINTS / f"step-{STEP:09d}.ckpt"
    with atomic_path(checkpoint) as partial:
        torch.save({"step": STEP, "pipeline": pipeline}, partial)
    degree = round((value["features_rest"].shape[1] + 1) ** 0.5) - 1
    model = _Made(
        "nerfstudio.models.splatfacto.SplatfactoModelConfig",
        sh_degree=degree,
        random_init=True,
        num_random=N_REPLACED,
        background_color=background,
    )
    run = _run(config.parent.absolute(), scene_dir.absolute(), model)
    with atomic_path(config) as partial:
        partial.write_text(yaml.dump(run, Dumper=_Dumper, sort_keys=False), encoding="utf-8")


def _run(folder: Path, scene_dir: Path, model: _Made) -> _Made:
    """Return nerfstudio's configuration of a run; what it does not say, nerfstudio presets.

    The parser is told to leave poses alone, so that the checkpoint's coordinates are the scene's.
    """
    parser = _Made(
        "nerfstudio.data.dataparsers.nerfstudio_dataparser.NerfstudioDataParserConfig",
        data=_path(scene_dir),
        downscale_factor=1,
        orientation_method="none",
        center_method="none",
        auto_scale_poses=False,
        load_3D_points=False,
    )
    manager = "nerfstudio.data.datamanagers.full_images_datamanager.FullImageDatamanagerConfig"
    pipeline = _Made(
        "nerfstudio.pipelines.base_pipeline.VanillaPipelineConfig",
        datamanager=_Made(manager, dataparser=parser, cache_images_type="uint8"),
        model=model,
    )
    return _Made(
        "nerfstudio.engine.trainer.TrainerConfig",
        method_name=METHOD,
        experiment_name=scene_dir.name,
        timestamp=TIMESTAMP,
        output_dir=_path(folder),
        relative_model_dir=_path(Path(CHECKPOINTS)),
        pipeline=pipeline,
    )


def _path(path: Path) -> _Made:
    return _Made("pathlib.Path", str(path))
