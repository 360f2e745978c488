"""What we found: questions answered by verdicts, and how effects change along their ladders."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from semsplat.errors import SemsplatError
from semsplat.experiment.check import check
from semsplat.figures import findings, ladder
from semsplat.figures.page import FOUND
from semsplat.figures.published import FOLDER, load_claims, load_findings, load_table
from semsplat.figures.referee.ladders import Rung, reading
from semsplat.figures.referee.sheet import read_records
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.figures.referee_helpers import trainings, write_speed, write_training

PARAMS = Path(__file__).parents[3] / "params.yaml"
MIOU = load_table("clipgs_details").measures["miou"]
SCENES = ("procedural/room", "procedural/den", "procedural/table")


def rungs(**values: list[float]) -> list[Rung]:
    return [Rung("3DCS", name.removeprefix("r"), MIOU, found) for name, found in values.items()]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (rungs(r100=[3.0, 4.0], r95=[-6.0, -7.0]), "changes its direction between 100 and 95"),
        # 95 is within its spread: the change is somewhere between its neighbours
        (
            rungs(r100=[3.0, 4.0], r95=[-9.0, 9.0], r90=[-6.0, -7.0]),
            "changes its direction between 100 and 90",
        ),
        (
            rungs(r1=[3.0], r2=[-3.0], r3=[3.0]),
            "changes its direction between 1 and 2 and between 2 and 3",
        ),
        (rungs(r1=[3.0], r2=[5.0]), "is a gain on every rung"),
        (rungs(r1=[-3.0], r2=[-5.0]), "is a loss on every rung"),
        (rungs(r1=[-3.0, 3.0], r2=[-5.0, 6.0]), "is within its spread on every rung"),
        (rungs(r1=[3.0], r2=[-5.0, 6.0]), "is a gain at 1, within its spread at 2"),
        # what is named lies nowhere between others, and nothing can change between two of them
        (rungs(rpart=[3.0], rwhole=[-3.0]), "is a gain at part, a loss at whole"),
        (rungs(r100=[3.0], rSAM=[-3.0]), "is a gain at 100, a loss at SAM"),
    ],
)
def test_a_ladder_in_words(found: list[Rung], expected: str) -> None:
    assert reading(found).endswith(f"; it {expected}")
    assert reading(found).startswith(f"{found[0].rung}: {found[0].text}, ")


def test_one_rung_is_no_ladder() -> None:
    assert reading(rungs(r1=[3.0], r2=[])) == "" == reading([])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project where 3DCS gains on pure masks and loses on others."""
    monkeypatch.chdir(tmp_path)
    miou = {"clipgs_b": 0.60, "clipgs_c": 0.50, "pure_100_sac": 0.60, "pure_100_3dcs": 0.70}
    miou |= {"pure_95_sac": 0.60, "pure_95_3dcs": 0.55}
    for training in trainings(*miou, scenes=SCENES, seeds=2):
        value = miou[training.setting] + 0.001 * SCENES.index(training.place)
        write_training(training, miou=value, train_miou=0.5, best_vote_train_miou=0.9)
    write_speed(trainings(*miou, scenes=SCENES, seeds=2))


def draw(paper: str, *settings: str) -> list[dict[str, str]]:
    shown = trainings(*settings, scenes=SCENES, seeds=2)
    findings.draw(shown, findings.Options(paper=paper, rules=2), Path("found.md"))
    return read_records(Path("found.csv"))


ALL = ("clipgs_b", "clipgs_c", "pure_100_sac", "pure_100_3dcs", "pure_95_sac", "pure_95_3dcs")


def test_an_answer_is_the_verdict_and_the_ladder_says_where_it_changes(project: None) -> None:
    (votes,) = [r for r in draw("CLIP-GS", *ALL) if "3DCS) help" in r["asks"]]
    assert votes["verdict"] == "contradicted"
    assert votes["answer"].startswith("No, not on these scenes: -10.000 points (")
    assert "over 3 scenes, where the paper prints +11.594" in votes["answer"]
    assert votes["says"].startswith("Training on itself with the votes")
    assert "100: +10.00, 95: -5.00, SAM: -10.00" in votes["depends"]
    assert votes["depends"].endswith("it changes its direction between 100 and 95.")
    text = Path("found.md").read_text()
    assert votes["answer"] in text and votes["depends"] in text and votes["mind"] in text
    assert "**" not in Path("found.tex").read_text()


def test_a_finding_reads_its_own_effect_of_the_ladder(project: None) -> None:
    others = trainings("pure_100_sac_16", "pure_100_3dcs_16", scenes=SCENES, seeds=2)
    for training in others:
        write_training(training, miou=0.9 if "3dcs" in training.setting else 0.2)
    (votes,) = [
        r
        for r in draw("CLIP-GS", *ALL, "pure_100_sac_16", "pure_100_3dcs_16")
        if "3DCS) help" in r["asks"]
    ]
    assert ": 100: +10.00, 95: -5.00, SAM: -10.00; it" in votes["depends"]


def test_a_gain_is_a_yes(project: None) -> None:
    for training in trainings("clipgs_c", scenes=SCENES, seeds=2):
        write_training(training, miou=0.9 + 0.001 * SCENES.index(training.place))
    (votes,) = [r for r in draw("CLIP-GS", *ALL) if "3DCS) help" in r["asks"]]
    assert votes["verdict"] == "reproduced" and votes["answer"].startswith(
        "Yes, on these scenes: +"
    )


def test_what_was_not_trained_is_said_and_not_answered(project: None) -> None:
    records = draw("GAGS", *ALL)
    assert {r["verdict"] for r in records} == {"not run"}
    assert {r["answer"] for r in records} == {"Not asked here: not trained in this suite."}
    assert {r["depends"].partition(" of suite ")[2] for r in records} == {
        "`ablations` shows what it depends on."
    }


def test_a_question_of_ours_has_a_ladder_alone(project: None) -> None:
    (ours,) = [r for r in draw("CLIP-GS", *ALL) if r["asks"].startswith("Does it help to keep")]
    assert ours["says"] == "The paper does not ask this." and not ours["verdict"]


def test_a_ladder_reads_its_effects_out(project: None) -> None:
    shown = trainings(*ALL, scenes=SCENES, seeds=2)
    ladder.draw(shown, ladder.Options(table="ladder_purity"), Path("ladder.md"))
    line = "3DCS, d = 3, mIoU: 100: +10.00, 95: -5.00, SAM: -10.00; it changes its direction"
    assert line in Path("ladder.md").read_text()


def test_every_paper_has_three_to_six_questions_and_a_figure_named_so() -> None:
    papers = load_findings()
    assert list(papers) == ["CLIP-GS", "GAGS", "CGC"]
    claims = load_claims().claims
    for paper, several in papers.items():
        assert 3 <= len(several) <= 6
        tables = {load_table(claims[f.claim].table).paper for f in several if f.claim}
        assert tables == {paper}
    figures = check(yaml.safe_load(PARAMS.read_text(encoding="utf-8"))).figures
    found = {name for name, figure in figures.items() if figure.kind == "findings"}
    assert found == {name for name in figures if name.endswith(FOUND)}
    assert {figures[name].options["paper"] for name in found} == set(papers)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("clipgs_sac_miou", "clipgs_sac_miuo", ("no claim", "did you mean 'clipgs_sac_miou'")),
        ("table: ladder_purity", "table: ladder_purty", ("no ladder", "ladder_purity")),
        ("effect: 3DCS,", "effect: 3DSC,", ("no effect '3DSC'",)),
        ("measure: class_accuracy", "measure: clas_accuracy", ("no measure", "class_accuracy")),
    ],
)
def test_a_mistake_in_the_file_is_one_line(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    for path in FOLDER.iterdir():
        if path.suffix in (".yaml", ".csv"):
            (tmp_path / path.name).write_text(path.read_text())
    path = tmp_path / "findings.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with one_line_error("findings.yaml", *words):
        load_findings(tmp_path)
    with pytest.raises(SemsplatError):
        load_findings(tmp_path)
