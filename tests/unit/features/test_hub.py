"""Models in folders of the Hub's layout: what is refused, and that nothing is fetched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPModel, Sam2VideoModel, Sam2VideoProcessor

from semsplat.features import hub
from semsplat.io import sha256_file
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.hub_helpers import spec_of, write_sam2


@pytest.fixture(scope="module")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(write_sam2(tmp_path_factory.mktemp("sam2")).folder)


@pytest.fixture
def folder(sam2: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(sam2, tmp_path / "model")


def test_a_model_is_read_in_float32_and_fixed(sam2, offline):
    digest = sha256_file(sam2 / "model.safetensors")
    model = hub.open_model(Sam2VideoModel, spec_of(sam2, digest), "cpu")
    stored = load_file(sam2 / "model.safetensors")
    assert not model.training
    for name, value in model.named_parameters():
        assert value.dtype == torch.float32 and not value.requires_grad
        assert torch.equal(value, stored[name])
    assert hub.open_processor(Sam2VideoProcessor, spec_of(sam2)).target_size == 64


def test_weights_in_half_precision_are_read_in_float32(folder):
    path = folder / "model.safetensors"
    half = {name: value.half() for name, value in load_file(path).items()}
    save_file(half, path, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    model = hub.open_model(Sam2VideoModel, spec_of(folder), "cpu")
    assert {value.dtype for value in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_one_line(folder, name):
    (folder / name).unlink()
    with one_line_error(str(folder / name), "no such file"):
        hub.open_model(Sam2VideoModel, spec_of(folder), "cpu")


def test_a_missing_folder_is_one_line(tmp_path):
    with one_line_error("no such folder", "params.yaml"):
        hub.weights_path(spec_of(tmp_path / "nothing"))


def test_weights_of_another_hash_are_refused(sam2):
    with one_line_error("model.safetensors: sha256", "expects 000000000000..."):
        hub.weights_path(spec_of(sam2, "0" * 64))


def test_another_kind_of_model_is_refused(sam2):
    with one_line_error("holds a sam2_video", "clip is needed"):
        hub.open_model(CLIPModel, spec_of(sam2), "cpu")


def test_weights_that_lack_some_are_refused(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors.pop("no_object_pointer")
    save_file(tensors, path, metadata={"format": "pt"})
    with one_line_error(str(path), "lacks 'no_object_pointer'"):
        hub.open_model(Sam2VideoModel, spec_of(folder), "cpu")


def test_weights_of_another_size_are_refused(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["no_object_pointer"] = torch.zeros(1, 3)
    save_file(tensors, path, metadata={"format": "pt"})
    with one_line_error(str(folder), "not readable"):
        hub.open_model(Sam2VideoModel, spec_of(folder), "cpu")


def test_weights_that_are_none_are_one_line(folder):
    (folder / "model.safetensors").write_bytes(b"not weights")
    with one_line_error(str(folder), "not readable"):
        hub.open_model(Sam2VideoModel, spec_of(folder), "cpu")


def test_a_missing_processor_is_one_line(folder, offline):
    (folder / "processor_config.json").unlink()
    with one_line_error(str(folder), "not readable"):
        hub.open_processor(Sam2VideoProcessor, spec_of(folder))
