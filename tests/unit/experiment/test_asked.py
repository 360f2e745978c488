"""What trainings are asked for, and which code and parameters predictions and scores depend on."""

from __future__ import annotations

import pytest

from semsplat.evaluate.jobs import together
from semsplat.experiment import asked
from semsplat.experiment.asked import (
    answers,
    predict_code,
    predict_options,
    reads,
    score_code,
    score_options,
    settings_answering,
    speed_code,
)
from semsplat.experiment.check import check
from semsplat.keys import TrainingKey
from tests.unit.experiment.test_runs import CONFIG, PARAMS

EVALUATE = "semsplat.evaluate"


def key(setting: str) -> TrainingKey:
    return TrainingKey("procedural", "room", setting, 0)


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fingerprint that says what it is made of."""
    monkeypatch.setattr(asked, "fingerprint", lambda *modules: " ".join(modules))


def test_a_setting_is_asked_what_its_method_answers_and_the_geometry_its_colours() -> None:
    assert answers(PARAMS, "clipgs_d") == ("colours", "classes", "points")
    assert answers(PARAMS, "gaussian_grouping") == ("masks",)
    assert answers(PARAMS, "geometry") == ("colours",)
    assert set(settings_answering(PARAMS, "similarity")) == {
        name for name, setting in PARAMS.settings.items() if setting.method == "cgc"
    }


def test_predictions_depend_on_the_method_and_on_no_protocol() -> None:
    code = predict_code(PARAMS, key("clipgs_d")).split()
    assert f"{EVALUATE}.answers.classes:predict" in code
    assert "semsplat.train.methods.clip_gs" in code
    assert not any("protocols" in name or name.endswith(":score") for name in code)
    assert f"{EVALUATE}.grounders.points" in predict_code(PARAMS, key("cgc")).split()
    assert "semsplat.train" not in predict_code(PARAMS, key("geometry"))


def test_scores_depend_on_all_protocols_of_their_answers_and_on_no_method() -> None:
    code = score_code(PARAMS, "clipgs_d").split()
    names = ("rgb_held_out", "image_mean", "pooled", "consistency")
    assert {f"{EVALUATE}.protocols.{name}" for name in names} <= set(code)
    assert f"{EVALUATE}.protocols.localisation" not in code
    assert not any("train.methods" in name or name.endswith(":predict") for name in code)
    assert score_code(PARAMS, "geometry").split() == [
        f"{EVALUATE}.jobs:score",
        f"{EVALUATE}.answers.colours:score",
        f"{EVALUATE}.protocols.rgb_held_out",
    ]


def test_speed_depends_on_what_is_timed() -> None:
    code = speed_code(PARAMS).split()
    assert {f"{EVALUATE}.answers.{n}:time" for n in ("classes", "relevancy", "similarity")} < set(
        code
    )


def test_an_answer_is_told_its_own_part_of_the_parameters() -> None:
    assert predict_options(PARAMS, key("clipgs_d")) == {} == score_options(PARAMS, "gags")
    assert score_options(PARAMS, "geometry")["colours"].model_dump() == {
        "lpips_net": PARAMS.evaluate.lpips_net
    }
    clicks = {"procedural/room": {"frog": {"view": "rgb_0", "pixel": [1, 2]}}}
    params = check({**CONFIG, "evaluate": {**CONFIG["evaluate"], "clicks": clicks}})
    told = predict_options(params, key("cgc"))["similarity"]
    assert told.model_dump()["clicks"] == clicks["procedural/room"]
    assert told.model_dump()["grounders"] == PARAMS.evaluate.grounders


def test_features_are_read_to_predict_and_lessons_to_score() -> None:
    assert reads(PARAMS, "gags", "PREDICTS_FROM") == {"features"}
    assert reads(PARAMS, "geometry", "PREDICTS_FROM") == set()
    assert reads(PARAMS, "clipgs_d", "PREDICTS_FROM") == {"features"}  # names of classes, of points
    assert reads(PARAMS, "clipgs_d", "SCORES_WITH") == {"lessons"}
    assert reads(PARAMS, "geometry", "SCORES_WITH") == set()


def test_what_several_answers_say_is_put_together() -> None:
    first = {"n": 3, "views": {"a": {"psnr": 9.0}, "b": {"psnr": 8.0}}, "missing": ["b"]}
    second = {"n": 2, "views": {"a": {"miou": 0.5}}, "missing": ["c"], "pairs": []}
    assert together(first, second) == {
        "n": 3,
        "views": {"a": {"psnr": 9.0, "miou": 0.5}, "b": {"psnr": 8.0}},
        "missing": ["b", "c"],
        "pairs": [],
    }
