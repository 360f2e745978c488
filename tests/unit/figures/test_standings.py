"""Systems beside each other: ranks, costs, and what none of them beats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from pydantic import ValidationError

from semsplat.figures import leaderboard, pareto, ranks
from semsplat.figures.pareto import frontier
from semsplat.figures.referee import trainings
from semsplat.figures.referee.sheet import read_records
from semsplat.figures.referee.standings import Boards, measure_on, standings
from semsplat.figures.referee.trainings import Results
from semsplat.io import read_json, write_json
from semsplat.keys import GeometryKey, TrainingKey
from tests.unit.figures.conftest import CONFIG
from tests.unit.figures.referee_helpers import edit, write_speed, write_training

NAMES = {"gags": "GAGS", "langsplat": "LangSplat", "cgc": "CGC"}
BOARDS = {
    "Questions": ["query_miou", "localisation", "inconsistency"],
    "Clicks": ["points_mask_miou"],
}
PLACES = [GeometryKey("procedural", scene, 0) for scene in ("room", "den")]
MIOU = {"gags": (0.4, 0.2), "langsplat": (0.5, 0.3), "cgc": (0.3, 0.3)}


@pytest.fixture(autouse=True)
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[TrainingKey]:
    """Three systems on two scenes; CGC has no localisation in the den, and clicks alone."""
    monkeypatch.chdir(tmp_path)
    keys = []
    for setting, values in MIOU.items():
        for place, value in zip(PLACES, values, strict=True):
            key = TrainingKey(place.dataset, place.scene, setting, 0)
            more: dict[str, Any] = {"localisation": 0.5} if setting != "cgc" else {}
            more |= {"points_mask_miou": 0.9} if setting == "cgc" else {}
            lower = {"gags": 0.1, "langsplat": 0.2, "cgc": 0.05}[setting]
            write_training(key, query_miou=value, inconsistency=lower, **more)
            keys.append(key)
    write_speed(keys, fps=20.0)
    return keys


def told(**changes: Any) -> dict[str, Any]:
    return {"systems": NAMES, "boards": BOARDS, **changes}


def test_ranks_follow_the_means_and_the_way_that_is_better(trained: list) -> None:
    found = standings(Results(trained), Boards(**told()))
    by_measure: dict[str, list[tuple[str, float, int]]] = {}
    for one in found:
        mean = round(one.spread.mean, 6)
        by_measure.setdefault(one.measure, []).append((one.setting, mean, one.rank))
    assert by_measure == {
        # in percent, the mean of two scenes; equal numbers share a rank
        "query_miou": [("langsplat", 40.0, 1), ("gags", 30.0, 2), ("cgc", 30.0, 2)],
        "localisation": [("gags", 50.0, 1), ("langsplat", 50.0, 1)],
        "inconsistency": [("cgc", 5.0, 1), ("gags", 10.0, 2), ("langsplat", 20.0, 3)],
    }  # one system alone has clicks: there is nothing to stand beside
    assert {len(one.trainings) for one in found} == {2}


def test_a_setting_without_a_number_on_one_scene_does_not_stand(trained: list) -> None:
    write_training(trained[0], localisation=0.5, inconsistency=0.1)
    found = standings(Results(trained), Boards(**told()))
    assert {one.setting for one in found if one.measure == "query_miou"} == {"langsplat", "cgc"}


def test_measures_have_their_real_names_on_real_scenes() -> None:
    assert measure_on("clip_regions_mask_miou", "procedural").name == "clip_regions_mask_miou"
    assert measure_on("clip_regions_mask_miou", "lerf_mask").name == "grounding_dino_mask_miou"
    assert measure_on("miou", "replica").name == "miou"


def test_the_table_and_its_records_agree(trained: list) -> None:
    options = leaderboard.Options(**told(costs=["fps", "semantic_mb"]))
    leaderboard.draw(trained, options, Path("board.md"))
    text = Path("board.md").read_text()
    assert "### Questions: procedural" in text and "### Clicks" not in text
    assert "| LangSplat | 40.00 (1) | 50.00 (1) |" in text and "| CGC | 30.00 (2) |  |" in text
    assert "| 20.0 |" in text  # frames a second
    records = read_records(Path("board.csv"))
    (first, *_) = records
    assert (first["setting"], first["rank"], first["label"]) == ("langsplat", "1", "LangSplat")
    assert first["protocol"] == "lerf_ovs/segmentation@1"
    assert first["trainings"] == "procedural/den/langsplat/0 procedural/room/langsplat/0"


def test_every_method_stands_on_the_board_of_params_yaml() -> None:
    systems = CONFIG["figures"]["leaderboard"]["options"]["systems"]
    methods = {name: setting["method"] for name, setting in CONFIG["settings"].items()}
    assert {methods[name] for name in systems} == set(methods.values())


def test_names_of_neighbours_stand_above_and_below(trained: list, drawn: list[Figure]) -> None:
    pareto.draw(trained, pareto.Options(**told(width_in=6.5)), Path("pareto.svg"))
    names = [text for text in drawn[0].axes[0].texts if isinstance(text, Annotation)]
    assert sorted(name.get_text() for name in names) == sorted(NAMES.values())
    heights = [name.xyann[1] > 0 for name in sorted(names, key=lambda name: name.xy)]
    assert heights == [True, False, True]


def test_what_a_system_did_without_is_in_its_name(trained: list) -> None:
    for key in (key for key in trained if key.setting == "langsplat"):
        card = key.folder / "run.json"
        edit(card, numbers={**read_json(card)["numbers"], "lacks": "DINO"})
    name, wide = "LangSplat, without DINO", told(width_in=6.5)
    leaderboard.draw(trained, leaderboard.Options(**told(costs=[])), Path("board.md"))
    ranks.draw(trained, ranks.Options(**wide, published=[]), Path("ranks.svg"))
    pareto.draw(trained, pareto.Options(**wide), Path("pareto.svg"))
    assert f"| {name} | 40.00 (1) |" in Path("board.md").read_text()
    assert read_records(Path("board.csv"))[0]["label"] == name
    assert name in Path("ranks.svg").read_text() and name in Path("pareto.svg").read_text()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"boards": {"Questions": ["query_mioo"]}}, "did you mean 'query_miou'"),
        ({"boards": {"Questions": []}}, "has no measure"),
        ({"systems": {}}, "systems"),
        ({"costs": ["query_miou"]}, "no cost 'query_miou'"),
    ],
)
def test_what_is_no_board_is_refused(changes: dict, word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        leaderboard.Options(**told(**{"costs": [], **changes}))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12),
    st.booleans(),
)
def test_none_beats_the_frontier_and_all_else_is_beaten(places: list, higher: bool) -> None:
    kept = frontier([(float(s), float(q)) for s, q in places], higher)
    sign = 1 if higher else -1

    def beats(a: tuple, b: tuple) -> bool:
        return a[0] <= b[0] and sign * a[1] >= sign * b[1] and a != b

    for index, place in enumerate(places):
        beaten = any(beats(other, place) for other in places)
        twin = any(places[k] == place for k in kept)
        assert twin == (not beaten), (index, kept)


@pytest.mark.parametrize("kind", [ranks, pareto])
def test_a_plot_is_drawn_and_says_so_where_there_is_nothing_to_compare(
    trained: list, kind: Any
) -> None:
    options = told(width_in=6.5, **({"published": []} if kind is ranks else {}))
    for name in ("first.svg", "second.svg"):
        kind.draw(trained, kind.Options(**options), Path(name))
    text = Path("first.svg").read_text()
    assert Path("second.svg").read_text() == text  # equal results give equal bytes
    assert "Questions: procedural" in text and "LangSplat" in text and "Clicks" not in text
    assert ("lerf_ovs/localisation@1" in text) == (kind is ranks)
    alone = {**options, "systems": {"gags": "GAGS"}}
    kind.draw(trained, kind.Options(**alone), Path("alone.svg"))
    assert "fewer than two systems" in Path("alone.svg").read_text()


def test_published_ranks_are_drawn_before_ours_with_their_numbers(trained: list) -> None:
    options = told(width_in=6.5, published=["LERF's photographs"])
    ranks.draw(trained, ranks.Options(**options), Path("ranks.svg"))
    text = Path("ranks.svg").read_text()
    first, second = text.index("published: LERF"), text.index("ours, Questions: procedural")
    assert first > 0 and second > first  # titles come after what their panels draw
    assert text.index(">9.66 (3 of 3)<") < first < text.index(">40.0<") < second
    assert "CAGS" not in text and "Occam" in text  # who is in one column has no line
    with pytest.raises(ValidationError, match="did you mean 'ScanNet'"):
        ranks.Options(**told(width_in=6.5, published=["Scannet"]))


def test_who_does_not_say_how_long_it_took_is_not_drawn_as_the_fastest(
    trained: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = trainings.costs

    def unsaid(folder: Path) -> dict[str, Any]:
        return known(folder) | ({"total_s": None} if "langsplat" in folder.parts else {})

    monkeypatch.setattr(trainings, "costs", unsaid)
    pareto.draw(trained, pareto.Options(**told(width_in=6.5)), Path("pareto.svg"))
    text = Path("pareto.svg").read_text()
    assert "GAGS" in text and "LangSplat" not in text


def test_costs_are_means_over_all_trainings(trained: list) -> None:
    path = Path("results/speed.json")
    speed = read_json(path)
    speed["runs"][str(TrainingKey("procedural", "den", "langsplat", 0))]["fps"] = 40.0
    write_json(path, speed)
    leaderboard.draw(trained, leaderboard.Options(**told(costs=["fps"])), Path("board.md"))
    (line,) = [x for x in Path("board.md").read_text().splitlines() if x.startswith("| LangSplat")]
    assert line.endswith("| 30.0 |")


def test_one_measure_has_no_ranks_to_compare(trained: list) -> None:
    one = told(width_in=6.5, published=[], boards={"Questions": ["query_miou"]})
    ranks.draw(trained, ranks.Options(**one), Path("ranks.svg"))
    assert "fewer than two systems" in Path("ranks.svg").read_text()


def test_quality_stands_against_seconds_of_everything(
    trained: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(pareto, "frontier", lambda p, higher: seen.append((p, higher)) or [0])
    pareto.draw(trained, pareto.Options(**told(width_in=6.5)), Path("pareto.svg"))
    took = {t.setting: Results(trained).costs(t)["total_s"] for t in trained}
    ((places, higher),) = seen
    assert higher and places == [
        (took["langsplat"], pytest.approx(40.0)),
        (took["gags"], pytest.approx(30.0)),
        (took["cgc"], pytest.approx(30.0)),
    ]
