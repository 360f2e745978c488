"""From photographs to a trained scene: what params.yaml gets, and in which order things run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from PIL import Image

from semsplat.cli import main
from semsplat.evaluate.grounding import Place
from semsplat.experiment.check import check
from semsplat.experiment.runs import merged, training_keys
from semsplat.io import parse_yaml, write_json
from semsplat.trial import run
from semsplat.trial.entries import entries, real_models
from tests.unit.data.scene_helpers import one_line_error, random_image

ROOT = Path(__file__).parents[3]
BASE = parse_yaml((ROOT / "params.yaml").read_text())
CHOSEN: dict[str, Any] = {"test_every": 8, "max_width_px": 640, "steps_scaler": 0.03}
CLICKS = {"frog": Place("kermit001", (3, 4))}


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project without results, weights and photographs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    Path("desk").mkdir()
    for index in range(3):
        Image.fromarray(random_image(seed=index)).save(f"desk/{index}.png")


def with_weights() -> None:
    for name in ("ViT-B-16.pt", "sam_vit_b_01ec64.pth"):
        path = Path("downloads/models", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_without_weights_cgc_learns_from_masks_that_need_none() -> None:
    params = check(merged(BASE, entries(check(BASE), Path("desk"), "desk", CLICKS, **CHOSEN)))
    assert [str(key) for key in training_keys(params)] == ["photos/desk/desk_cgc/0"]
    assert params.features.recipes["desk_regions"].segmenter.kind == "felzenszwalb"
    assert params.settings["desk_cgc"].override == {"recipe": "desk_regions"}
    assert params.evaluate.clicks["photos/desk"]["frog"].pixel == [3, 4]
    suite = params.suites[params.suite]
    assert suite.rates_scaler == pytest.approx(1 / suite.steps_scaler)
    assert {"desk_clicks", "desk_objects", "desk_clusters"} <= set(suite.figures)
    scene = params.datasets["photos"].scenes["desk"]
    assert (scene["test_every"], scene["max_width_px"]) == (8, 640)


def test_without_clicks_no_figure_waits_for_any() -> None:
    params = check(merged(BASE, entries(check(BASE), Path("desk"), "desk", {}, **CHOSEN)))
    assert not {"desk_clicks", "desk_objects"} & set(params.figures)


def test_real_models_on_disk_are_used_as_the_papers_suite_does() -> None:
    with_weights()
    base = check(BASE)
    assert real_models(base) == ("vit_b_16_openai", "vit_b")
    params = check(merged(BASE, entries(base, Path("desk"), "desk", {}, **CHOSEN)))
    for recipe, kind in {"desk_regions": "regions", "desk_granular": "granular"}.items():
        found = params.features.recipes[recipe]
        paper = BASE["suites"]["paper"]["override"]["features"]["recipes"][kind]
        assert (found.clip, found.segmenter.options["model"]) == ("vit_b_16_openai", "vit_b")
        assert (
            found.segmenter.options["pred_iou_thresh"]
            == (paper["segmenter"]["options"]["pred_iou_thresh"])
        )
        assert found.templates == paper["templates"]
    assert params.settings["desk_gags"].override == {"recipe": "desk_granular"}


@pytest.mark.parametrize("name", ["kermit", "demo"])
def test_what_params_yaml_has_is_not_overwritten(name: str) -> None:
    with one_line_error(f"'{name}' is in params.yaml already; choose another --name"):
        entries(check(BASE), Path("desk"), name, {}, **CHOSEN)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Stand for COLMAP and for Snakemake; return what was called."""
    calls: list[Any] = []

    def found(folder: Path, name: str, **how: Any) -> Path:
        out = Path("photos", name)
        (out / "images").mkdir(parents=True)
        for path in folder.iterdir():
            (out / "images" / path.name).write_bytes(path.read_bytes())
        report: dict[str, Any] = {"photographs": 3, "without_pose": [], "points": 9, "turned": []}
        report |= {"reprojection_error_px": 0.5, "passed_over": [], "sequential": False}
        write_json(out / "photos.json", {**report, "focals_px": {}, "angle_deg": 9.0})
        calls.append(("cameras", how))
        return out

    def started(words: list[str], **_: Any) -> Any:
        calls.append(words[2:])
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(run, "make_photos", found)
    monkeypatch.setattr(subprocess, "run", started)
    return calls


def semsplat(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["semsplat", "try", *words])
    main()


def test_a_trial_finds_cameras_and_lets_snakemake_do_the_rest(
    called: list[Any], monkeypatch, capsys
) -> None:
    words = "desk", "--prompts", "frog, book", "--click", "frog=1:3,4", "--single-camera"
    semsplat(monkeypatch, *words)
    (_, how), jobs = called
    assert how == {"sequential": False, "single_camera": True, "seed": 0}
    assert jobs == [
        "snakemake",
        "--cores",
        "all",
        "--configfile",
        "photos/my_desk.yaml",
        "--",
        "all",
        "results/train/photos/my_desk/my_desk_cgc/0/run.json",
    ]
    told = yaml.safe_load(Path("photos/my_desk.yaml").read_text())
    assert told["suite"] == "my_desk" and check(merged(BASE, told)).suite == "my_desk"
    said = capsys.readouterr().out
    assert "frog, book: without a real CLIP and SAM on disk no text can be asked" in said
    assert "page: paper_figures/my_desk/index.html" in said
    semsplat(monkeypatch, *words)  # goes on: the cameras are known
    assert len(called) == 3 and called[2] == jobs


def test_clicks_behind_options_of_their_own_all_count(called: list[Any], monkeypatch) -> None:
    semsplat(monkeypatch, "desk", "--click", "frog=1:3,4", "--click", "cup=1:5,6")
    told = yaml.safe_load(Path("photos/my_desk.yaml").read_text())
    assert list(told["evaluate"]["clicks"]["photos/my_desk"]) == ["frog", "cup"]


def test_clicks_are_on_photographs_and_shrink_with_them(called: list[Any], monkeypatch) -> None:
    for name, turn in {"wide": 1, "upright": 6}.items():  # 6: the camera was held upright
        exif = Image.Exif()
        exif[0x0112] = turn
        Image.new("RGB", (400, 300)).save(f"desk/{name}.jpg", exif=exif)
    words = ["--click", "a=wide:399,150", "b=upright:299,399", "c=1:3,4", "--max-width-px", "100"]
    semsplat(monkeypatch, "desk", *words)
    told = yaml.safe_load(Path("photos/my_desk.yaml").read_text())
    clicks = told["evaluate"]["clicks"]["photos/my_desk"]
    assert [clicks[name]["pixel"] for name in "abc"] == [[99, 37], [99, 132], [3, 4]]


@pytest.mark.parametrize(
    ("click", "told"),
    [
        ("frog=on:1,2", "click 'frog': desk has no view 'on'; one is '0'"),
        ("frog=1.png:1,2", "click 'frog': desk has no view '1.png'; one is '0'"),
        ("frog=1:999,2", "click 'frog': pixel (999, 2) of '1' is outside the photograph of "),
    ],
)
def test_a_click_on_no_photograph_is_told_before_hours_of_work(
    called: list[Any], monkeypatch, capsys, click: str, told: str
) -> None:
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "desk", "--click", click)
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
    assert not called and not Path("photos").exists()


def test_other_words_and_other_photographs_need_another_name(
    called: list[Any], monkeypatch, capsys
) -> None:
    semsplat(monkeypatch, "desk")
    before = Path("photos/my_desk.yaml").read_text()
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "desk", "--test-every", "4")
    assert "says something else than these words do" in capsys.readouterr().err
    assert Path("photos/my_desk.yaml").read_text() == before
    Path("desk/2.png").rename("desk/other.png")
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "desk")
    assert "is of other photographs; choose another --name" in capsys.readouterr().err
    assert len(called) == 2


def test_mistakes_are_told_before_cameras_are_looked_for(
    called: list[Any], monkeypatch, capsys
) -> None:
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "desk", "--max-width-px", "-1")
    assert "max_width_px" in capsys.readouterr().err and not called
    Path("params.yaml").unlink()
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "desk")
    assert "no params.yaml here" in capsys.readouterr().err and not called


def test_a_job_that_fails_is_told(called: list[Any], monkeypatch, capsys) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "desk")
    assert "the same command goes on where it stopped" in capsys.readouterr().err


def test_with_weights_the_prompts_are_asked(called: list[Any], monkeypatch, capsys) -> None:
    with_weights()
    monkeypatch.setattr("semsplat.field.field.Field.open", lambda folder: folder)
    monkeypatch.setattr(
        "semsplat.viewer.queries.answers", lambda f, p, _: [f"{f.parent.name}: {p}"]
    )
    semsplat(monkeypatch, "desk", "--prompts", "frog")
    said = capsys.readouterr().out
    assert "my_desk_cgc: ['frog']" in said and "my_desk_gags: ['frog']" in said


def test_a_nerfstudio_folder_has_its_cameras(called: list[Any], monkeypatch, capsys) -> None:
    pose = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    frames = [{"file_path": f"{index}.png", "transform_matrix": pose} for index in range(3)]
    write_json(Path("desk/transforms.json"), {"frames": frames})
    with pytest.raises(SystemExit):
        semsplat(monkeypatch, "desk", "--click", "frog=3:3,4")
    assert "desk has no view '3'" in capsys.readouterr().err and not called
    semsplat(monkeypatch, "desk", "--click", "frog=1:3,4")
    (jobs,) = called
    assert jobs[-1] == "results/train/nerfstudio/my_desk/my_desk_cgc/0/run.json"
    params = check(merged(BASE, yaml.safe_load(Path("photos/my_desk.yaml").read_text())))
    assert params.datasets["nerfstudio"].scenes["my_desk"]["root"] == str(Path("desk").resolve())
    assert params.suites["my_desk"].scenes == ["nerfstudio/my_desk"]
    assert list(params.evaluate.clicks["nerfstudio/my_desk"]) == ["frog"]
