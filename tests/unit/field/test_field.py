"""A trained scene, opened and asked."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from semsplat import Field, Viewpoint, rasterize
from semsplat.evaluate.gaussians import members_of, unblended
from semsplat.field.known import project_of
from semsplat.io import write_json
from semsplat.paths import train_dir
from semsplat.splat.ply import read_ply
from semsplat.train.methods import method
from tests.unit.data.scene_helpers import K, one_line_error, viewmat_at
from tests.unit.evaluate.model_helpers import write_model
from tests.unit.field.project import LEFT, RIGHT, teach

README = Path(__file__).parents[3] / "README.md"
FROM_ABOVE = Viewpoint("from above", viewmat_at(0.6), K, 16, 12)


def opened(project: Path, name: str) -> Field:
    return Field.open(project / train_dir("made", "balls", name, 0))


def at(array: np.ndarray, pixel: tuple[int, int]) -> np.ndarray:
    return array[..., pixel[1], pixel[0]]


def teach_what_gags_holds(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the text vectors be what the two balls decode to."""
    (some,) = unblended(field.known.field)
    rows = method("gags").vectors(some, FROM_ABOVE).maps[0, 0].detach()
    teach(monkeypatch, rows, normalize(rows.sum(0), dim=0)[None])


def test_the_package_gives_what_programs_need() -> None:
    assert rasterize.__module__ == "semsplat.splat.rasterizer"
    from semsplat.splat import rasterize as same

    assert same is rasterize
    with pytest.raises(AttributeError, match="no attribute 'rasterise'"):
        import semsplat

        _ = semsplat.rasterise


def test_a_training_copied_elsewhere_may_lie_less_deep(project: Path, tmp_path: Path) -> None:
    here = project / train_dir("made", "balls", "cgc", 0)
    assert project_of(here, "train") == project
    assert project_of(Path("/copy"), "train") == project_of(Path("/a/copy"), "train") == Path("/")
    field = Field.open(shutil.copytree(here, tmp_path / "copy"))
    assert field.scene is None and field.colours(FROM_ABOVE).any()
    with one_line_error("it has none here; name one, or give a Viewpoint"):
        field.colours("a")


def test_what_is_no_training_is_told_how_one_is_named(project: Path, tmp_path: Path) -> None:
    above = (project / train_dir("made", "balls", "cgc", 0)).parent
    with one_line_error("holds no run.json; name results/train/DATASET/SCENE/SETTING/0, or a .ply"):
        Field.open(above)
    with one_line_error("x.ply: no such folder or file; name results/train"):
        Field.open(tmp_path / "x.ply")
    for card, told in {
        "[]": "holds no trained splat",
        '{"phase": "train"}': "run.json: not a run's card",
        '{"phase": "train", "config": {}}': "run.json: not a run's card",
    }.items():
        (tmp_path / "run.json").write_text(card)
        with one_line_error(told):
            Field.open(tmp_path)


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "gpu"])
def test_a_device_that_is_not_here_is_one_line(project: Path, device: str, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with one_line_error(f"device '{device}': is not here"):
        Field.open(project / train_dir("made", "balls", "cgc", 0), device)


def test_prompts_are_texts_in_a_list(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    field = opened(project, "gags")
    teach_what_gags_holds(field, monkeypatch)
    for wrong in ([], [" "], ["mug", ""], "mug"):
        for ask in (lambda w: field.relevancy("a", w), field.gaussian_relevancy):
            with one_line_error("give a list of texts, none of them empty"):
                ask(wrong)
    for name in ("gags", "cgc"):
        with one_line_error("give a list of texts, none of them empty"):
            opened(project, name).select("")


@pytest.mark.parametrize("pixel", [(4.5, 6), (4,), (4, 6, 1)])
def test_a_pixel_is_two_whole_numbers(project: Path, pixel: tuple) -> None:
    with one_line_error("a pixel is two whole numbers, (x, y)"):
        opened(project, "cgc").select(("a", pixel))
    assert opened(project, "cgc").select(("a", tuple(np.array([4, 6])))).members.any()


def test_a_selection_of_another_field_is_not_written(project: Path, tmp_path: Path) -> None:
    field = opened(project, "clip_gs")
    chair = field.select("chair")
    other = replace(chair, members=np.ones(3, bool))
    with one_line_error("selected in another field"):
        field.save_ply(tmp_path / "x.ply", other)
    assert not (tmp_path / "x.ply").exists()


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("clip_gs", ("colours", "classes", "click", "text")),
        ("gags", ("colours", "relevancy", "text")),
        ("cgc", ("colours", "click", "text")),
        ("gaussian_grouping", ("colours", "click", "text")),
        ("goi", ("colours", "text")),
    ],
)
def test_a_field_says_what_it_can_be_asked(project: Path, name: str, answers: tuple) -> None:
    assert opened(project, name).answers == answers


def test_views_are_known_by_name_and_from_elsewhere(project: Path) -> None:
    field = opened(project, "clip_gs")
    classes = field.classes("held_out")
    assert classes.dtype == np.uint16 and (at(classes, LEFT), at(classes, RIGHT)) == (300, 65535)
    shifted = field.classes(FROM_ABOVE)
    assert at(shifted, (8, 6)) == 65535  # the right ball is where the camera is
    assert at(field.depth("held_out"), LEFT) == pytest.approx(3.0, abs=0.05)
    assert at(field.depth("held_out"), (0, 0)) == 0
    red, _, blue = at(field.colours("held_out").transpose(2, 0, 1), LEFT)
    assert red > 200 > blue
    assert field.features("held_out").shape == (12, 16, 2)
    with one_line_error("no view 'held_ou'", "did you mean 'held_out'?"):
        field.classes("held_ou")


def test_gaussians_alone_say_what_pictures_say(project: Path, monkeypatch) -> None:
    assert opened(project, "clip_gs").gaussian_classes().tolist() == [300, 65535]
    gags = opened(project, "gags")
    teach_what_gags_holds(gags, monkeypatch)
    relevancy = gags.gaussian_relevancy(["mug", "chair"])
    assert (relevancy > 0.5).tolist() == [[True, False], [False, True]]
    shown = gags.relevancy("held_out", ["mug", "chair"])
    assert shown.shape == (2, 12, 16) and shown.dtype == np.float32
    assert at(shown, LEFT)[0] > 0.5 > at(shown, LEFT)[1]


def test_gaussians_are_asked_in_parts_that_fit(project: Path, monkeypatch) -> None:
    monkeypatch.setattr("semsplat.evaluate.gaussians.AT_ONCE", 1)
    assert opened(project, "clip_gs").gaussian_classes().tolist() == [300, 65535]
    grouped = opened(project, "gaussian_grouping").known.field
    queries = torch.eye(3).bool()[[1, 2, 2]]
    assert members_of(grouped, queries).tolist() == [[True, False], [False, True], [False, True]]


@pytest.mark.parametrize("name", ["clip_gs", "cgc", "gaussian_grouping"])
def test_a_click_selects_the_ball_under_it(project: Path, name: str) -> None:
    field = opened(project, name)
    for pixel, members in {LEFT: [True, False], RIGHT: [False, True]}.items():
        selection = field.select(("held_out", pixel))
        assert selection.members.tolist() == members
        mask = selection.mask(FROM_ABOVE)
        assert mask[6, 8] == members[1] and mask.dtype == bool


@pytest.mark.parametrize("name", ["cgc", "gaussian_grouping", "goi"])
def test_a_text_is_shown_by_the_region_that_fits_best(project: Path, name: str, monkeypatch):
    teach(monkeypatch, torch.eye(3)[:2], torch.eye(3)[2:])
    field = opened(project, name)
    selection = field.select("mug")
    assert "view 'b'" in selection.found  # of view a no region is as much of a mug
    mask = selection.mask(field.camera("held_out"))
    assert at(mask, LEFT) and not at(mask, RIGHT)
    assert field.select("chair").members.tolist() == [False, True]


def test_a_text_is_answered_by_relevancy_or_by_a_class(project: Path, monkeypatch) -> None:
    clip_gs = opened(project, "clip_gs")
    assert clip_gs.select("chair").members.tolist() == [True, False]
    assert clip_gs.select("the wall").members.tolist() == [False, True]
    with one_line_error("knows no class 'wal'", "did you mean 'wall'?"):
        clip_gs.select("wal")
    with one_line_error("knows no class 'zebra'; it knows mug, chair, wall"):
        clip_gs.select("zebra")
    gags = opened(project, "gags")
    teach_what_gags_holds(gags, monkeypatch)
    selection = gags.select("mug")
    assert selection.members.tolist() == [True, False]
    assert at(selection.mask(gags.camera("held_out")), LEFT)


def test_what_a_method_cannot_answer_is_one_line(project: Path, tmp_path: Path) -> None:
    with one_line_error("gags answers to texts, not to clicks"):
        opened(project, "gags").select(("held_out", LEFT))
    with one_line_error("goi is asked by a text and a mask"):
        opened(project, "goi").select(("held_out", LEFT))
    with one_line_error("cgc has no classes; it has colours, click, text"):
        opened(project, "cgc").classes("held_out")
    with one_line_error("clip_gs has no relevancy"):
        opened(project, "clip_gs").relevancy("held_out", ["mug"])
    with one_line_error("nothing is drawn there"):
        opened(project, "cgc").select(("held_out", (0, 0)))
    with one_line_error("outside the picture"):
        opened(project, "cgc").select(("held_out", (16, 6)))
    write_json(tmp_path / "run.json", {"phase": "features"})
    with one_line_error("holds no trained splat"):
        Field.open(tmp_path)


def test_features_that_are_gone_are_missed_when_a_text_is_asked(tmp_path: Path) -> None:
    folder = write_model(tmp_path / train_dir("made", "balls", "clip_gs", 0))
    config = {"geometry": {"sh_degree": 3, "background": "white"}}
    config |= {"dataset": "made", "scene": "balls"}  # type: ignore[dict-item]
    write_json(folder / "run.json", {"phase": "train", "config": config, "inputs": {}})
    field = Field.open(folder)
    assert field.scene is None and field.colours(FROM_ABOVE).shape == (12, 16, 3)
    with one_line_error("its scene is not in this project's data/"):
        _ = field.class_names
    with one_line_error("the features that it learned from are not in results/features"):
        _ = field.known.features


def test_a_splat_of_any_trainer_has_colours(project: Path, tmp_path: Path) -> None:
    opened(project, "clip_gs").save_ply(tmp_path / "all.ply")
    splat = Field.open(tmp_path / "all.ply")
    assert splat.answers == ("colours",) and splat.method is None
    assert splat.colours(FROM_ABOVE).max() > 150
    with one_line_error("holds colours alone"):
        splat.select("mug")


def test_an_object_and_the_colours_of_classes_are_saved(project: Path, tmp_path: Path) -> None:
    field = opened(project, "clip_gs")
    field.save_ply(tmp_path / "chair.ply", field.select("chair"))
    assert read_ply(tmp_path / "chair.ply")["means"].tolist() == [[pytest.approx(-0.6), 0, 0]]
    field.save_ply(tmp_path / "classes.ply", colours="classes")
    painted = Field.open(tmp_path / "classes.ply").colours(FROM_ABOVE)
    assert not np.array_equal(painted, field.colours(FROM_ABOVE))
    with one_line_error("no Gaussian is selected as class 'mug'"):
        field.save_ply(tmp_path / "mug.ply", field.select("mug"))
    assert not (tmp_path / "mug.ply").exists()


def test_the_example_of_the_readme_runs(tmp_path: Path, monkeypatch, capsys) -> None:
    from tests.unit.field.project import write_project

    (code,) = re.findall(r"```python\n(import semsplat\n.*?)```", README.read_text(), re.DOTALL)
    assert len(code.strip().splitlines()) <= 10
    write_project(tmp_path, "clip_gs")
    named = tmp_path / train_dir("procedural", "room", "clipgs_d", 0)
    named.parent.mkdir(parents=True)
    (tmp_path / train_dir("made", "balls", "clip_gs", 0)).rename(named)
    monkeypatch.chdir(tmp_path)
    exec(code.replace('"mug"', '"chair"'), {})
    assert (tmp_path / "mug.spz").is_file() and "Gaussians" in capsys.readouterr().out
