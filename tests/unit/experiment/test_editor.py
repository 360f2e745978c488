"""What an editor underlines in params.yaml: options of every kind, wherever they stand."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from semsplat.data.datasets import importer, importer_names
from semsplat.experiment.editor import PART, json_schema
from semsplat.features.segmenters import segmenter_kind, segmenter_kinds
from semsplat.features.teachers import teacher_kind, teacher_kinds
from semsplat.features.tracks import track_kind, track_kinds
from semsplat.figures import figure_kind, figure_kinds
from semsplat.train.methods import method, method_names

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads(json_schema())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
LABELS = ("features", "teachers", "clip", "labels")
FAMILIES = {
    "importers": (importer_names(), importer, ("datasets", "photos"), "importer", "options"),
    "segmenters": (
        segmenter_kinds(), segmenter_kind, ("features", "recipes", "regions", "segmenter"), "kind",
        "options",
    ),
    "labels": (teacher_kinds(), teacher_kind, LABELS, "kind", "options"),
    "tracks": (track_kinds(), track_kind, (*LABELS[:3], "tracks"), "kind", "options"),
    "figures": (figure_kinds(), figure_kind, ("figures", "views"), "kind", "options"),
    "settings": (method_names(), method, ("settings", "clipgs_d"), "method", "override"),
}  # fmt: skip
OF_KINDS = [(family, name) for family, (names, *_) in FAMILIES.items() for name in names]


def underlined(params: Any) -> list[str]:
    """Return where an editor underlines something."""
    return [error.json_path for error in VALIDATOR.iter_errors(params)]


def at(params: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        params = params[key]
    return params


def test_the_file_is_right_in_every_line() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert underlined(PARAMS) == []


def test_no_line_of_the_file_is_longer_than_an_editor_is_wide() -> None:
    lines = (ROOT / "params.yaml").read_text().splitlines()
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize(("family", "name"), OF_KINDS)
def test_a_kind_brings_its_own_options(family: str, name: str) -> None:
    _, module, path, key, place = FAMILIES[family]
    known = {"properties": {}, **module(name).Options.model_json_schema()}["properties"]
    params = deepcopy(PARAMS)
    holder = at(params, path)
    holder |= {key: name, place: {"typpo": 1}}
    where = "$." + ".".join((*path, place))
    found = [e for e in VALIDATOR.iter_errors(params) if e.json_path == where]
    assert any("'typpo' was unexpected" in error.message for error in found)
    if family in ("importers", "settings"):  # completed elsewhere: by a scene, by the method
        assert not any("required" in error.message for error in found)
    else:
        needed = {error.message.split("'")[1] for error in found if "required" in error.message}
        assert needed == set(known)


PLANTED = {
    "an option of a scene": ("datasets", "photos", "scenes", "kermit"),
    "an option of a method": ("methods", "clip_gs"),
    "an option inside an option": ("methods", "clip_gs", "coherent"),
    "a diff of a setting": ("settings", "clipgs_b", "override", "coherent"),
    "a diff of the geometry": ("settings", "truth_steps", "geometry"),
    "a segmenter in a suite, its kind not repeated": (
        "suites", "paper", "override", "features", "recipes", "regions", "segmenter", "options",
    ),
    "tracks in a suite": (
        "suites", "paper", "override", "features", "teachers", "clip", "tracks", "options",
    ),
    "a method in a suite": ("suites", "paper", "override", "methods", "n2f2"),
    "a section in a suite": ("suites", "paper", "override", "evaluate"),
    "an option of a figure": ("figures", "views", "options"),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_a_typo_is_underlined_where_it_stands(what: str) -> None:
    params = deepcopy(PARAMS)
    at(params, PLANTED[what])["typpo"] = 1
    path = "$." + ".".join(PLANTED[what])
    assert underlined(params) == [path]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (("datasets", "photos"), "importer"),
        (LABELS, "kind"),
        (("figures", "views"), "kind"),
        (("settings", "clipgs_d"), "method"),
    ],
)
def test_an_unknown_kind_is_underlined(path: tuple[str, ...], key: str) -> None:
    params = deepcopy(PARAMS)
    at(params, path)[key] = "nonesuch"
    assert "$." + ".".join((*path, key)) in underlined(params)


def test_a_wrong_value_of_an_option_is_underlined() -> None:
    params = deepcopy(PARAMS)
    params["methods"]["clip_gs"]["dim"] = "eight"
    params["settings"]["clipgs_d"]["override"] = {"dim": 0}
    assert set(underlined(params)) == {
        "$.methods.clip_gs.dim",
        "$.settings.clipgs_d.override.dim",
    }


def test_unknown_keys_are_forbidden_and_only_parts_leave_keys_out() -> None:
    models = {"": SCHEMA, **SCHEMA["$defs"]}
    assert any(name.endswith(PART) for name in models)
    for name, model in models.items():
        assert model["additionalProperties"] is False
        if name.endswith(PART):
            assert "required" not in model
        else:
            assert sorted(model.get("required", ())) == sorted(model["properties"])
        assert all(field["description"] for field in model["properties"].values() if field)
