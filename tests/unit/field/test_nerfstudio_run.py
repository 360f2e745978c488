"""A splat as a run of nerfstudio's: what its viewer reads, without its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from semsplat.errors import SemsplatError
from semsplat.field.field import Field
from semsplat.field.nerfstudio import write_run
from semsplat.geometry.trained import Trained
from tests.unit.field.test_formats import cloud

APPLY = "tag:yaml.org,2002:python/object/apply:"


class Reader(yaml.SafeLoader):
    """Reads objects that are made by name as (last part of the name, what it is called with)."""


def _made(loader: Reader, name: str, node: yaml.Node) -> Any:
    assert isinstance(node, yaml.MappingNode)
    parts = loader.construct_mapping(node, deep=True)
    if name == "pathlib.Path":
        return Path(*parts["args"])
    return name, parts["kwds"]


Reader.add_multi_constructor(APPLY, _made)


@pytest.fixture
def run(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """What a trainer is told by a file that was written, and the folder of the file."""
    folder = tmp_path / "out"
    write_run(folder / "config.yml", cloud(), "white", tmp_path / "scenes" / "room")
    name, told = yaml.load((folder / "config.yml").read_text(), Reader)
    assert name == "nerfstudio.engine.trainer.TrainerConfig"
    return told, folder


def test_the_checkpoint_lies_where_nerfstudio_looks_for_it(run: tuple[dict[str, Any], Path]):
    told, folder = run
    names = told["experiment_name"], told["method_name"], told["timestamp"]
    place = told["output_dir"].joinpath(*names, told["relative_model_dir"])
    assert place.is_relative_to(folder) and told["method_name"] == "splatfacto"
    saved = torch.load(place / "step-000000000.ckpt", weights_only=True)
    assert saved["step"] == 0
    prefix, wanted = "_model.gauss_params.", cloud()
    held = {key.removeprefix(prefix): value for key, value in saved["pipeline"].items()}
    assert held.keys() == {
        *("means", "scales", "quats", "opacities"),
        *("features_dc", "features_rest"),
    }
    for name in ("means", "scales", "quats"):
        assert torch.equal(held[name], wanted[name])
    assert torch.equal(held["opacities"][:, 0], wanted["opacities"])
    assert torch.equal(held["features_dc"], wanted["sh0"][:, 0])
    assert torch.equal(held["features_rest"], wanted["shN"])


def test_its_parser_leaves_the_scenes_poses_alone(run: tuple[dict[str, Any], Path]):
    pipeline = run[0]["pipeline"][1]
    name, manager = pipeline["datamanager"]
    assert name.endswith(".FullImageDatamanagerConfig")
    name, parser = manager["dataparser"]
    assert name.endswith(".NerfstudioDataParserConfig")
    assert parser["data"] == run[1].parent / "scenes" / "room"
    assert (parser["orientation_method"], parser["center_method"]) == ("none", "none")
    assert parser["auto_scale_poses"] is False and parser["load_3D_points"] is False
    name, model = pipeline["model"]
    assert name.endswith(".SplatfactoModelConfig") and model["sh_degree"] == 3
    assert model["background_color"] == "white"


def test_a_field_writes_it_where_its_scene_is_known_and_nothing_is_in_the_way(tmp_path: Path):
    field = Field(tmp_path / "x.ply", Trained(cloud(), 3, "black", "cpu"), None, None)
    with pytest.raises(SemsplatError, match="ns-viewer needs a scene"):
        field.save_ply(tmp_path / "config.yml")
    with pytest.raises(SemsplatError, match=r"opens config\.yml"):
        write_run(tmp_path / "other.yml", cloud(), "white", tmp_path / "room")
    (tmp_path / "room").mkdir()
    with pytest.raises(SemsplatError, match="is there already"):
        write_run(tmp_path / "config.yml", cloud(), "white", tmp_path / "room")
    assert not (tmp_path / "config.yml").exists()
