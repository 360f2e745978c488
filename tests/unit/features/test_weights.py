"""Weights without a published hash: that of the file found counts, and is computed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors import safe_open
from safetensors.torch import save_file

from semsplat.features import weights as weights_module
from semsplat.features.extraction import write_features
from semsplat.features.queries import Texts
from semsplat.features.store import SceneFeatures, open_features
from semsplat.features.weights import PACKAGED, find_weights
from semsplat.io import read_json, sha256_file
from semsplat.params.features import ClipModel
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.conftest import two_blocks


@pytest.fixture
def nameless(run_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a run of the embedded networks from a folder of one's own, without hashes."""
    for path in PACKAGED.glob("tiny_*.safetensors"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(weights_module, "PACKAGED", tmp_path)
    run = run_of("regions")
    changes = {kind: getattr(run, kind).model_copy(update={"sha256": None}) for kind in KINDS}
    return run.model_copy(update=changes)


KINDS = ("clip", "sam")


def change(path: Path) -> None:
    """Write other weights of the same model: a bias that has moved."""
    with safe_open(path, "pt") as archive:
        tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
        metadata = archive.metadata()
    name = "visual.ln_post.bias" if "clip" in path.name else "image_encoder.neck.3.bias"
    tensors[name] = tensors[name] + 0.5
    save_file(tensors, path, metadata=metadata)


def extract(run: Any, scene: Path, out: Path) -> SceneFeatures:
    write_features(scene, out, out.parent / "cache", run.model_dump_json(), None, "cpu")
    return open_features(out)


def test_manifest_and_card_name_the_files_found(
    nameless: Any, write_scene: Any, tmp_path: Path
) -> None:
    features = extract(nameless, write_scene([two_blocks()] * 2), tmp_path / "out")
    config = read_json(features.folder / "run.json")["config"]
    for kind in KINDS:
        digest = sha256_file(tmp_path / f"tiny_{kind}.safetensors")
        assert features.manifest["models"][kind]["sha256"] == config[kind]["sha256"] == digest


@pytest.mark.parametrize("kind", KINDS)
def test_another_file_never_serves_old_results(
    kind: str, nameless: Any, write_scene: Any, tmp_path: Path
) -> None:
    scene = write_scene([two_blocks()] * 2)
    first = extract(nameless, scene, tmp_path / "first")
    change(tmp_path / f"tiny_{kind}.safetensors")
    second = extract(nameless, scene, tmp_path / "second")
    cards = [read_json(features.folder / "run.json") for features in (first, second)]
    assert cards[0]["run_key"] != cards[1]["run_key"]
    assert cards[1]["numbers"]["cache_made"] > 0
    views = [features.view("view_0") for features in (first, second)]
    if kind == "clip":
        assert (views[0].dense != views[1].dense).any()
    else:
        assert views[0].scores.tolist() != views[1].scores.tolist()


def test_prompts_are_refused_once_the_file_is_another(
    nameless: Any, write_scene: Any, tmp_path: Path
) -> None:
    features = extract(nameless, write_scene([two_blocks()] * 2), tmp_path / "out")
    assert Texts(features, "cpu").encode(["table"]).shape == (1, 64)
    change(tmp_path / "tiny_clip.safetensors")
    with one_line_error("tiny_clip.safetensors", "the features in use"):
        Texts(features, "cpu").encode(["table"])


def test_each_file_is_hashed_once(
    nameless: Any, write_scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def counted(path: Path) -> str:
        hashed.append(path.name)
        return sha256_file(path)

    for module in ("weights", "extract"):
        monkeypatch.setattr(f"semsplat.features.{module}.sha256_file", counted)
    extract(nameless, write_scene([two_blocks()] * 2), tmp_path / "out")
    of_weights = [name for name in hashed if name.endswith(".safetensors")]
    assert sorted(of_weights) == ["tiny_clip.safetensors", "tiny_sam.safetensors"]


def test_a_known_hash_is_kept_and_a_missing_one_found(params: Any) -> None:
    spec = params.features.clip_models["tiny"]
    known = find_weights(spec)
    assert known.spec == spec and known.expected == spec.sha256
    found = find_weights(spec.model_copy(update={"sha256": None}))
    assert found.spec == spec and found.expected is None


@pytest.mark.parametrize("change", [{"weights": "ViT-B-16.pt"}, {"architecture": "ViT-B-16"}])
def test_only_the_tiny_model_is_embedded(change: dict[str, str], params: Any) -> None:
    tiny = params.features.clip_models["tiny"].model_dump()
    with pytest.raises(ValueError, match="every other architecture a path"):
        ClipModel.model_validate({**tiny, **change})


def test_real_models_are_those_of_the_register(params: Any) -> None:
    register = Path(weights_module.__file__).parents[1] / "data" / "register" / "models.yaml"
    entries = yaml.safe_load(register.read_text())
    features = params.features
    for kind, models in (("clip", features.clip_models), ("sam", features.sam_models)):
        for name in models.keys() - {"tiny"}:
            entry = entries[f"{kind}_{name}"]
            assert models[name].sha256 == entry["sha256"], name
            if entry["path"]:
                assert models[name].weights == entry["path"], name
            else:
                assert models[name].weights.startswith(entry["folder"] + "/"), name
