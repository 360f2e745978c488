"""``params.yaml``: what is refused, and in which words."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from semsplat.data.datasets import importer, importer_names
from semsplat.experiment.check import ParamsError, check, check_or_exit
from semsplat.features.tracks import track_kinds
from semsplat.figures import figure_kind, figure_kinds
from semsplat.figures.published import load_table, table_names
from semsplat.train.methods import method, method_names, method_options

PARAMS_FILE = Path(__file__).parents[3] / "params.yaml"
# Written out and read again, so that no part is shared: an anchor's change would be one everywhere.
CONFIG: dict[str, Any] = json.loads(
    json.dumps(yaml.safe_load(PARAMS_FILE.read_text(encoding="utf-8")))
)
ROOM = "datasets/procedural/scenes/room"


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """Return the repository's parameters with values set at "a/b/c" paths."""
    config = copy.deepcopy(CONFIG)
    for path, value in changes:
        *parents, leaf = path.split("/")
        section = config
        for key in parents:
            section = section[key]
        section[leaf] = value
    return config


def mistakes(config: Any) -> list[str]:
    """Return the lines of the refusal, without their common start; none when all is well."""
    try:
        check(config)
    except ParamsError as error:
        lines = str(error).splitlines()
        assert all(line.startswith("params.yaml: ") for line in lines)
        return [line.removeprefix("params.yaml: ") for line in lines]
    return []


def test_the_repositorys_parameters_pass() -> None:
    params = check(CONFIG)
    assert params.suite == "demo" and params.geometry.steps == 30_000
    assert params.model_dump() == CONFIG


@pytest.mark.parametrize(
    ("name", "answer", "part"),
    [
        ("gags", "relevancy", "vectors"),
        ("gaussian_grouping", "masks", "query"),
        ("goi", "masks", "select"),
    ],
)
def test_a_method_has_what_its_answers_ask_for(
    name: str, answer: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(method(name), part)
    where = f"methods.{name}: src/semsplat/train/methods/{name}.py"
    said = f"{where}: answers {answer} without '{part}'"
    assert mistakes(CONFIG) == [said]


def test_the_scenes_of_the_papers_tables_are_defined() -> None:
    columns = [column for name in table_names() for column in load_table(name).columns.values()]
    named = {scene for column in columns for scene in column.scenes}
    defined = {f"{name}/{scene}" for name, d in CONFIG["datasets"].items() for scene in d["scenes"]}
    assert len(named) > 30 and named <= defined


ONE_LINE = {
    # unknown keys, at every level
    "geometri": (3, "geometri: unknown key; did you mean 'geometry'?"),
    "geometry/step": (3, "geometry.step: unknown key; did you mean 'steps'?"),
    "geometry/lr/mean": (1.0, "geometry.lr.mean: unknown key; did you mean 'means'?"),
    "suites/demo/scens": ([], "suites.demo.scens: unknown key; did you mean 'scenes'?"),
    "evaluate/zzz": (
        1,
        "evaluate.zzz: unknown key; known: lpips_net, speed_repeats, clicks, grounders,"
        " grounding_dino, clusters",
    ),
    "evaluate/grounders": (
        ["clip_region", "points", "clip_regions"],
        "evaluate.grounders: 'clip_region' is not defined; did you mean 'clip_regions'?",
    ),
    "evaluate/clicks": (
        {"photos/kermitt": {"frog": {"view": "kermit000", "pixel": [1, 2]}}},
        "evaluate.clicks: 'photos/kermitt' is not defined; did you mean 'photos/kermit'?",
    ),
    "datasets/procedural/option": (
        {},
        "datasets.procedural.option: unknown key; did you mean 'options'?",
    ),
    "datasets/procedural/options/n_view": (
        3,
        "datasets.procedural.options.n_view: unknown key; did you mean 'n_views'?",
    ),
    f"{ROOM}/n_view": (
        3,
        "datasets.procedural.scenes.room.n_view: unknown key; did you mean 'n_views'?",
    ),
    "figures/views/options/row_height": (
        1.0,
        "figures.views.options.row_height: unknown key; did you mean 'row_height_in'?",
    ),
    # wrong types and values
    "geometry/steps": ("30k", "geometry.steps: input should be a valid integer (got '30k')"),
    "geometry/sh_every": (True, "geometry.sh_every: input should be a valid integer (got True)"),
    "geometry/init/n_random": (
        10.0,
        "geometry.init.n_random: input should be a valid integer (got 10.0)",
    ),
    "geometry/progressive/enabled": (
        1,
        "geometry.progressive.enabled: input should be a valid boolean (got 1)",
    ),
    "geometry/background": (
        "balck",
        "geometry.background: input should be 'black' or 'white' (got 'balck')",
    ),
    "geometry/lr/sh0": (
        float("nan"),
        "geometry.lr.sh0: input should be a finite number (got nan)",
    ),
    "suites/demo/steps_scaler": (
        float("inf"),
        "suites.demo.steps_scaler: input should be a finite number (got inf)",
    ),
    "datasets/procedural/options/hfov_deg": (
        float("nan"),
        "datasets.procedural.options.hfov_deg: input should be a finite number (got nan)",
    ),
    "figures/curves/options/smooth": (
        0,
        "figures.curves.options.smooth: input should be greater than or equal to 1 (got 0)",
    ),
    "seed": (-1, "seed: input should be greater than or equal to 0 (got -1)"),
    # numbers that YAML reads as text
    "geometry/lr/means": ("1e-3", "geometry.lr.means: '1e-3' is text in YAML; write 1.0e-3"),
    "geometry/lr/shN": ("1.0e3", "geometry.lr.shN: '1.0e3' is text in YAML; write 1.0e+3"),
    "geometry/densify/stop": ("3e4", "geometry.densify.stop: '3e4' is text in YAML; write 30000"),
    "datasets/procedural/options/point_noise_m": (
        "-2E-3",
        "datasets.procedural.options.point_noise_m: '-2E-3' is text in YAML; write -2.0e-3",
    ),
    "figures/curves/options/width_in": (
        "1e1",
        "figures.curves.options.width_in: '1e1' is text in YAML; write 1.0e+1",
    ),
    # references
    "suite": ("dmo", "suite: unknown suite 'dmo'; did you mean 'demo'?"),
    "suites/demo/scenes": (
        ["procedural/rom"],
        "suites.demo.scenes: 'procedural/rom' is not defined; did you mean 'procedural/room'?",
    ),
    "suites/demo/figures": (
        ["xyz"],
        f"suites.demo.figures: 'xyz' is not defined; known: {', '.join(CONFIG['figures'])}",
    ),
    "suites/smoke/scenes": (
        ["procedural/nook"] * 3,
        "suites.smoke.scenes: 'procedural/nook' stands twice; remove one",
    ),
    "suites/smoke/seeds": ([1, 0, 1], "suites.smoke.seeds: '1' stands twice; remove one"),
    "suites/smoke/without": (
        ["lerf", "lerf"],
        "suites.smoke.without: 'lerf' stands twice; remove one",
    ),
    "suites/photos/seeds": (
        [],
        "suites.photos.seeds: list should have at least 1 item after validation, not 0",
    ),
    "datasets/procedural/importer": (
        "zzz",
        "datasets.procedural.importer: no importer 'zzz'; known: " + ", ".join(importer_names()),
    ),
    "figures/views/kind": ("view", "figures.views.kind: no kind 'view'; did you mean 'views'?"),
    # names
    "datasets/procedural/scenes/Room-1": (
        {},
        "datasets.procedural.scenes: 'Room-1' must be lower-case letters, digits and underscores",
    ),
    "datasets/native": (
        CONFIG["datasets"]["procedural"],
        "datasets: 'native' is the folder of drawn worlds; choose another name",
    ),
    "features/teachers/Clip": (
        CONFIG["features"]["teachers"]["clip"],
        "features.teachers: 'Clip' must be lower-case letters, digits and underscores",
    ),
    "settings/Row-1": (
        CONFIG["settings"]["clipgs_b"],
        "settings: 'Row-1' must be lower-case letters, digits and underscores",
    ),
    "settings/geometry": (
        CONFIG["settings"]["clipgs_b"],
        "settings: 'geometry' is the folder of something else; choose another name",
    ),
    "settings/features": (
        CONFIG["settings"]["clipgs_b"],
        "settings: 'features' is the folder of something else; choose another name",
    ),
    # teachers
    "features/teachers/clip/labels/kind": (
        "clip_region",
        "features.teachers.clip.labels.kind: no kind 'clip_region'; did you mean 'clip_regions'?",
    ),
    "features/teachers/clip/tracks/kind": (
        "deva",
        "features.teachers.clip.tracks.kind: no kind 'deva'; known: " + ", ".join(track_kinds()),
    ),
    "features/teachers/clip/labels/options/recipe": (
        "regoins",
        "features.teachers.clip.labels.options.recipe: 'regoins' is not defined; did you mean"
        " 'regions'?",
    ),
    "features/teachers/clip/labels/options/weight": (
        "uniform",
        "features.teachers.clip.labels.options.weight: unknown key; did you mean 'weights'?",
    ),
    "features/teachers/clip/tracks/options/min_iou": (
        1.5,
        "features.teachers.clip.tracks.options.min_iou: input should be less than or equal to 1"
        " (got 1.5)",
    ),
    "features/teachers/truth_iid/labels/options": (
        {"labels": "scene"},
        "features.teachers.truth_iid.labels.options.masks: missing; the file must be complete",
    ),
    "features/teachers/truth_iid/corruption/kind": (
        "idd",
        "features.teachers.truth_iid.corruption.kind: input should be 'iid' or 'view_correlated'"
        " (got 'idd')",
    ),
    "features/teachers/truth_iid/corruption/share": (
        1.5,
        "features.teachers.truth_iid.corruption.share: input should be less than or equal to 1"
        " (got 1.5)",
    ),
    # methods and settings
    "methods/clip_gss": (
        CONFIG["methods"]["clip_gs"],
        "methods.method: no method 'clip_gss'; did you mean 'clip_gs'?",
    ),
    "methods/clip_gs/teacher": (
        "clp",
        "methods.clip_gs.teacher: 'clp' is not defined; did you mean 'clip'?",
    ),
    "methods/clip_gs/dim": (
        0,
        "methods.clip_gs.dim: input should be greater than or equal to 1 (got 0)",
    ),
    "methods/clip_gs/coherent/vote": (
        "track",
        "methods.clip_gs.coherent.vote: input should be 'none', 'within_view' or 'tracks'"
        " (got 'track')",
    ),
    "settings/clipgs_b/method": (
        "clip_gss",
        "settings.clipgs_b.method: no method 'clip_gss'; did you mean 'clip_gs'?",
    ),
    "settings/clipgs_b/override": (
        {"dims": 8},
        "settings.clipgs_b.override.dims: unknown key; did you mean 'dim'?",
    ),
    "settings/clipgs_b/override/coherent": (
        {"voot": "none"},
        "settings.clipgs_b.override.coherent.voot: unknown key; did you mean 'vote'?",
    ),
    "settings/clipgs_a/override": (
        {"dim": 8},
        "settings.clipgs_a.override.dim: unknown key; known: moves_geometry, teacher, weight,"
        " init_std, lr",
    ),
    "settings/gags_uniform/override/recipe": (
        "levles",
        "settings.gags_uniform.override.recipe: 'levles' is not defined; did you mean 'levels'?",
    ),
    "settings/gags_uniform/geometry": (
        {"steps": 7},
        "settings.gags_uniform.geometry: gags leaves the geometry as it is; write {}",
    ),
    "methods/n2f2/recipe": (
        "granulr",
        "methods.n2f2.recipe: 'granulr' is not defined; did you mean 'granular'?",
    ),
    "settings/clipgs_b/override/teacher": (
        "clp",
        "settings.clipgs_b.override.teacher: 'clp' is not defined; did you mean 'clip'?",
    ),
    "settings/clipgs_b/override/lr": (
        {"decoder": "1e-3"},
        "settings.clipgs_b.override.lr.decoder: '1e-3' is text in YAML; write 1.0e-3",
    ),
    "settings/clipgs_b/geometry": (
        {"step": 7},
        "settings.clipgs_b.geometry.step: unknown key; did you mean 'steps'?",
    ),
    "settings/clipgs_b/geometry/progressive": (
        {"enabled": 1},
        "settings.clipgs_b.geometry.progressive.enabled: input should be a valid boolean (got 1)",
    ),
    # figures of settings
    "figures/clipgs_maps/options/settings": (
        {"clipgs_bb": "SAC"},
        "figures.clipgs_maps.options.settings: 'clipgs_bb' is not defined; did you mean"
        " 'clipgs_b'?",
    ),
    "figures/splats/options/scenes": (
        ["procedural/rom"],
        "figures.splats.options.scenes: 'procedural/rom' is not defined; did you mean"
        " 'procedural/room'?",
    ),
    "figures/clipgs_maps/options/datasets": (
        ["sparsely"],
        "figures.clipgs_maps.options.datasets: 'sparsely' is not defined; did you mean 'sparse'?",
    ),
    "figures/summary/options/measures": (
        {"clipgs_table3": "mious"},
        "figures.summary.options.measures: clipgs_table3 has no measure 'mious'; did you mean"
        " 'miou'?",
    ),
    "suites/demo/settings": (
        ["clipgs_aa"],
        "suites.demo.settings: 'clipgs_aa' is not defined; did you mean 'clipgs_a'?",
    ),
    "figures/clipgs_table3/options/table": (
        "clipgs_table33",
        "figures.clipgs_table3.options.table: no table 'clipgs_table33'; did you mean"
        " 'clipgs_table3'? (got 'clipgs_table33')",
    ),
    "figures/clipgs_classes/options/table": (
        "clipgs_detail",
        "figures.clipgs_classes.options.table: no table 'clipgs_detail'; did you mean"
        " 'clipgs_details'? (got 'clipgs_detail')",
    ),
    # scalers and repeats
    "suites/demo/rates_scaler": (
        0,
        "suites.demo.rates_scaler: input should be greater than 0 (got 0)",
    ),
    "evaluate/speed_repeats": (
        0,
        "evaluate.speed_repeats: input should be greater than or equal to 1 (got 0)",
    ),
    "datasets/sparse/options/n_views": (
        1,
        "datasets.sparse.options.n_views: input should be greater than or equal to 2 (got 1)",
    ),
    # a metric nobody computes would be a column of dashes
    "figures/scores/options/digits": (
        {"pnsr": 2},
        "figures.scores.options.digits.pnsr.[key]: input should be 'psnr', 'ssim' or 'lpips'"
        " (got 'pnsr')",
    ),
}


def test_a_recipe_that_no_figure_could_show_is_one_line() -> None:
    known = next(iter(CONFIG["features"]["recipes"]))
    options = {"recipe": f"{known}x", "n_views": 2, "row_height_in": 1.0, "dpi": 100}
    figure = {"kind": "masks", "options": options}
    line = f"figures.new.options.recipe: '{known}x' is not defined; did you mean '{known}'?"
    assert mistakes(changed(("figures/new", figure))) == [line]


def test_both_recipes_of_a_comparison_must_exist() -> None:
    options = {**CONFIG["figures"]["prompt_points"]["options"], "beside": "levles"}
    line = "figures.new.options.beside: 'levles' is not defined; did you mean 'levels'?"
    figure = {"kind": "prompts", "options": options}
    assert mistakes(changed(("figures/new", figure))) == [line]


def test_a_method_that_does_not_exist_is_said_once_whatever_settings_it_has() -> None:
    row = {**CONFIG["settings"]["clipgs_b"], "method": "clip_gss"}
    both = [("methods/clip_gss", CONFIG["methods"]["clip_gs"]), ("settings/new", row)]
    line = "methods.method: no method 'clip_gss'; did you mean 'clip_gs'?"
    assert mistakes(changed(*both)) == [line]


def test_a_mistake_of_a_method_is_not_repeated_by_its_settings_but_their_own_are_said() -> None:
    own = ("settings/clipgs_b/override", {"dim": "x"})
    assert mistakes(changed(("methods/clip_gs/weight", -1.0), own)) == [
        "methods.clip_gs.weight: input should be greater than or equal to 0 (got -1.0)",
        "settings.clipgs_b.override.dim: input should be a valid integer (got 'x')",
    ]


def test_a_setting_may_repair_no_mistake_of_its_method() -> None:
    own = ("settings/clipgs_b/override", {"weight": 1.0})
    (line,) = mistakes(changed(("methods/clip_gs/weight", -1.0), own))
    assert line.startswith("methods.clip_gs.weight: ")


@pytest.mark.parametrize("path", ONE_LINE)
def test_a_mistake_is_one_line_with_the_key_and_the_fix(path: str) -> None:
    value, line = ONE_LINE[path]
    assert mistakes(changed((path, value))) == [line]


def test_an_empty_file_is_one_line() -> None:
    assert [line.split(":")[0] for line in mistakes(None)] == ["the whole file"]


def test_several_mistakes_are_several_lines() -> None:
    both = mistakes(changed(("geometry/step", 3), ("seed", "x")))
    assert [line.split(":")[0] for line in both] == ["seed", "geometry.step"]
    references = [
        ("suites/demo/scenes", ["a/b", "procedural/room"]),
        ("suites/demo/figures", ["views", "views"]),
        (f"{ROOM}/n_views", "many"),
        ("figures/curves/options/smooth", 1.5),
    ]
    where = [line.split(":")[0] for line in mistakes(changed(*references))]
    assert where == [
        "suites.demo.scenes",
        "suites.demo.figures",
        "datasets.procedural.scenes.room.n_views",
        "figures.curves.options.smooth",
    ]


def test_a_command_prints_the_mistake_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as status:
        check_or_exit(changed(("seed", "x")))
    assert status.value.code == 1
    assert capsys.readouterr().err.startswith("params.yaml: seed: ")


def leaves(section: dict[str, Any], *above: str) -> Iterator[tuple[str, ...]]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, *above, key)
        else:
            yield (*above, key)


def is_free(path: tuple[str, ...]) -> bool:
    """Tell keys that are a choice: what a scene or a setting differs in, what a table shows."""
    if path[0] == "datasets" and path[2] == "options":  # a common option that every scene replaces
        scenes = CONFIG["datasets"][path[1]]["scenes"].values()
        return all(path[3] in diff for diff in scenes)
    if path[:2] == ("features", "templates"):
        return True
    if path[0] in ("settings", "suites") and path[2] in ("override", "geometry"):  # a diff
        return True
    if path[0] == "figures" and {"settings", "measures", "boards", "systems"} & set(
        path
    ):  # what a table shows
        return True
    return "digits" in path or (path[0] == "datasets" and path[2] == "scenes")


NEEDED = [path for path in leaves(CONFIG) if not is_free(path)]


@pytest.mark.parametrize("path", NEEDED, ids=".".join)
def test_no_key_has_a_hidden_default(path: tuple[str, ...]) -> None:
    config = copy.deepcopy(CONFIG)
    section = config
    for key in path[:-1]:
        section = section[key]
    del section[path[-1]]
    assert mistakes(config) == [f"{'.'.join(path)}: missing; the file must be complete"]


NAMED = [path for path in leaves(CONFIG) if "boards" not in path]
"""All keys but the titles of boards, which may be anything."""


@given(path=st.sampled_from(NAMED), extra=st.sampled_from(["x", "_", "s"]))
def test_renaming_any_key_is_an_error_that_names_it(path: tuple[str, ...], extra: str) -> None:
    config = copy.deepcopy(CONFIG)
    section = config
    for key in path[:-1]:
        section = section[key]
    section[path[-1] + extra] = section.pop(path[-1])
    assert any(path[-1] + extra in line for line in mistakes(config))


def test_options_of_importers_figures_and_methods_have_no_defaults() -> None:
    models = [importer(name).Options for name in importer_names()]
    models += [figure_kind(name).Options for name in figure_kinds()]
    models += [method_options(name) for name in method_names()]
    for model in models:
        optional = [key for key, field in model.model_fields.items() if not field.is_required()]
        assert optional == [], model.__module__


def test_checking_the_parameters_loads_no_slow_library() -> None:
    """Every call of snakemake checks them; torch alone would take a second or two each time."""
    code = (
        "import json, sys; from semsplat.experiment.check import check;"
        "check(json.load(sys.stdin));"
        "slow = {'torch', 'numba', 'scipy', 'sklearn', 'skimage', 'matplotlib', 'mlflow'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    told = {"input": json.dumps(CONFIG), "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", code], **told)
    assert done.stdout.strip() == "[]", done.stderr
