"""Effects by hand: printed, ours, paired, of which scenes, and why there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from semsplat.figures.published import load_claims, load_measures, load_table
from semsplat.figures.published.claim_models import Claim
from semsplat.figures.referee.effects import effect, found_of, printed_effect
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import Found
from semsplat.io import write_json
from tests.unit.figures.referee_helpers import trainings, write_speed, write_training

MIOU = Claim(
    **{"table": "clipgs_table3", "source": "", "statement": "", "better": "c", "worse": "b"},
    **{"measure": "miou", "any_scene": "of a test"},
)
PLACES = ("procedural/room", "procedural/den")
REAL = ("replica/room0", "scannet/scene0494_00")


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty project."""
    monkeypatch.chdir(tmp_path)


def test_effects_by_hand() -> None:
    assert effect(70, 60, "difference", "higher") == 10
    assert effect(70, 60, "difference", "lower") == -10
    assert effect(176, 2.5, "ratio", "higher") == pytest.approx(70.4)
    assert effect(1.43e6, 1.72e6, "ratio", "lower") == pytest.approx(1.72 / 1.43)


def test_the_printed_effect_is_the_mean_over_the_columns_of_the_measure() -> None:
    room0, scene0494 = 25.564 - 19.920, 54.023 - 36.480
    table = load_table("clipgs_table3")
    assert printed_effect(MIOU, table) == pytest.approx((room0 + scene0494) / 2)
    one = MIOU.model_copy(update={"columns": ["scene0494_miou"]})
    assert printed_effect(one, table) == pytest.approx(scene0494)
    said = MIOU.model_copy(update={"printed": (3.0, 2.0)})
    assert printed_effect(said, table) == 1


def test_of_a_printed_mean_beside_single_scenes_the_mean_alone_counts() -> None:
    claim = load_claims().claims["cgc_over_gaussian_grouping_miou"]
    printed = printed_effect(claim, load_table(claim.table))
    assert printed == pytest.approx(80.3 - 72.8)  # of its columns' rounded numbers 7.475


def write(better: float, worse: float, scenes: tuple[str, ...] = PLACES) -> None:
    """Rows c and b with these mIoU; of c the seeds differ by 0.01."""
    for setting, value in (("clipgs_c", better), ("clipgs_b", worse)):
        for training in trainings(setting, scenes=scenes):
            write_training(training, miou=value + 0.01 * training.seed * (setting == "clipgs_c"))


def found(claim: Claim, *shown: str, scenes: tuple[str, ...] = PLACES) -> list[Found]:
    """Return what these settings have of a claim."""
    return found_of(claim, load_table(claim.table), Results(trainings(*shown, scenes=scenes)))


def test_pairs_are_of_one_scene_and_one_seed_in_the_unit_of_the_measure() -> None:
    write(0.7, 0.6)
    (some,) = found(MIOU, "clipgs_b", "clipgs_c")
    of_seeds = pytest.approx([10.0, 11.0, 12.0])  # percent
    assert some.effects == {place: of_seeds for place in PLACES} and not some.absent
    assert some.evidence == "procedural" and len(some.trainings) == 12


def test_procedural_and_real_scenes_stand_apart() -> None:
    write(0.7, 0.6)
    write(0.5, 0.6, REAL)
    procedural, real = found(MIOU, "clipgs_b", "clipgs_c", scenes=PLACES + REAL)
    assert (procedural.evidence, real.evidence) == ("procedural", "real data")
    assert (set(procedural.effects), set(real.effects)) == (set(PLACES), set(REAL))
    assert min(map(min, procedural.effects.values())) > 0 > max(map(max, real.effects.values()))


def test_for_single_scenes_of_a_paper_no_others_stand_in() -> None:
    write(0.7, 0.6)
    write(0.5, 0.6, REAL)
    of_one = MIOU.model_copy(update={"columns": ["scene0494_miou"]})
    (some,) = found(of_one, "clipgs_b", "clipgs_c")
    assert (some.effects, some.absent) == ({}, "not trained in this suite")
    (some,) = found(of_one, "clipgs_b", "clipgs_c", scenes=PLACES + REAL)
    assert (some.evidence, list(some.effects)) == ("real data", ["scannet/scene0494_00"])


def test_what_was_not_trained_says_why() -> None:
    (some,) = found(MIOU)
    assert (some.effects, some.absent) == ({}, "not trained in this suite")


def test_what_was_trained_without_the_number_says_which() -> None:
    claim = load_claims().claims["clipgs_lpips"]
    table = load_table(claim.table)
    shown = trainings(*(table.rows[row].setting for row in (claim.better, claim.worse)))
    for training in shown:
        write_training(training)
    for some, reason in ((shown, "no lpips in scores"), (shown[:1], "not trained in this suite")):
        assert found_of(claim, table, Results(some))[0].absent == reason


def test_each_row_is_read_by_its_own_measure() -> None:
    claim = load_claims().claims["gags_over_gs_grouping_miou"]
    shown = trainings("gags", "gaussian_grouping")
    for training in shown:
        write_training(training, train_query_miou=0.5)
    (some,) = found_of(claim, load_table(claim.table), Results(shown))
    assert some.absent == "no clip_regions_train_mask_query_miou in scores"
    for training in shown:
        masks = {"clip_regions_train_mask_query_miou": 0.3}
        named = {"train_query_miou": 0.5} if training.setting == "gags" else masks
        write_training(training, **named)
    (some,) = found_of(claim, load_table(claim.table), Results(shown))
    assert some.effects == {place: pytest.approx([20.0] * 3) for place in PLACES}


def test_on_the_papers_own_scenes_other_networks_ask() -> None:
    table, real = load_table("gags_table1"), ["lerf_ovs/ramen"]
    row, gags = table.rows["GOI"], table.rows["GAGS"]
    shown = table.measure_on("train_localisation", real, row)
    assert shown.name == "grounding_dino_train_mask_localisation"
    assert (shown.protocol, shown.title) == ("lerf_ovs/masks@1", "mAcc")
    procedural = table.measure_on("localisation", ["procedural/room"], row)
    assert procedural.name == "clip_regions_mask_localisation"
    assert procedural.title == table.measures["localisation"].title
    assert table.measure_on("train_localisation", real, gags).name == "train_localisation"
    other = row.model_copy(update={"instead": {"localisation": load_measures()["psnr"]}})
    shown = table.measure_on("localisation", real, other)
    assert (shown.name, shown.title) == ("psnr", table.measures["localisation"].title)
    # what stands in no other's place is the table's
    assert table.measure_on("localisation_scaled", real, row).protocol == (
        "lerf_ovs/localisation_scaled@1"
    )


def test_the_time_of_a_mask_is_no_time_of_an_answer() -> None:
    claim = load_claims().claims["gags_inference_goi"]
    shown = trainings("gags", "goi")
    for training in shown:
        write_training(training)
    times = {"gags": {"query_ms": 9.0}, "goi": {"render_ms": 1.0, "ask_ms": 2.0}}
    runs = {str(training): times[training.setting] for training in shown}
    write_json(Path("results/speed.json"), {"turns": [], "runs": runs})
    found = found_of(claim, load_table(claim.table), Results(shown))
    assert found[0].absent == "no query_ms in speed"


def test_speed_is_compared_as_a_ratio() -> None:
    claim = load_claims().claims["clipgs_fps"]
    shown = trainings("clipgs_a", "clipgs_d")
    for training in shown:
        write_training(training)
    write_speed(shown, fps=25.0)
    (some,) = found(claim, "clipgs_a", "clipgs_d")
    assert set(map(tuple, some.effects.values())) == {(1.0, 1.0, 1.0)}
