"""Mistakes in definitions and claims of the papers' tables are told in one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from semsplat.errors import SemsplatError
from semsplat.figures.published import FOLDER, load_claims, load_table

TABLE = "cgc_table1"
TABLE_MISTAKES = [
    ("  CGC: {", "  CGS: {", "CGS: not in the CSV beside it"),
    ("  ramen_miou:", "  raman_miou:", "raman_miou: not in the CSV beside it"),
    ("measure: clip_regions_mask_miou,", "measure: argmax,", "no measure 'argmax'"),
    ("setting: cgc}", "label: CGC}", "setting: Field required"),
    ("_grouping}", "_grouping, instead: {mask_ms: nothing}}", "no measure 'nothing'"),
    ("_grouping}", "_grouping, instead: {mask_mss: mask_ms}}", "no measure 'mask_mss'; did you"),
    ("_grouping}", "_grouping, instead: [mask_ms]}", "write a measure and what stands in its"),
    ("stand_in:", "standin: procedural\nstand_in:", "standin: Extra inputs"),
    ("points_mask_miou,", "points_mask_mio,", "no measure 'points_mask_mio'; did you mean"),
    ("measures:\n", "notes: {text_miou: null}\nmeasures:\n", "no measure 'text_miou'"),
    ("measures:\n", "measures: {}\nrest:\n", "measures: Value error, write a list of names"),
    ("number: 1\n", "", "a paper's table has a number, a key and a stand_in"),
    ("paper: CGC", "paper: null", "a table of ours has no number, key or columns"),
    ("paper: CGC", "like: cgc_table4", "no table 'cgc_table4'; did you mean"),
    ("paper: CGC", "like: cgc_table3", "cgc_table3 is like another itself"),
]
MEASURE_MISTAKES = [
    ("protocol: ovs3d/argmax@1", "protocol: null", "scores name their protocol"),
    ("better: higher", "better: more", "measures.miou.better: Input should be 'higher' or 'lower'"),
    ("  ssim: {title: SSIM}", "  ssim: SSIM", "measures: Value error, write a list of groups"),
]
CLAIM_MISTAKES = [
    (" better: Complete", " better: Compleat", "no row 'Compleat' in cgc_table3; did you mean"),
    ("    measure: miou", "    measure: mioo", "no measure 'mioo' in clipgs_table1; did you mean"),
    ("columns: [ramen_miou]", "columns: [ramen]", "no column 'ramen' in cgc_table1; did you"),
    ("  cgc_table3:", "  cgc_table33:", "no published table 'cgc_table33'; did you"),
    (
        "  cgc_table3:\n",
        "  cgc_table3: {}\n  rest:\n",
        "claims.cgc_table3: Input should be a valid list",
    ),
    ("    - worse: LERF\n      needs", "    - needs", "clipgs_table1.1.worse: Field required"),
    (
        "          needs: {colours_can_change: c}\n",
        "          any_scene: null\n",
        "a claim says what it needs of a scene, or why any scene will do",
    ),
    ("      worse: Feature 3DGS\n", "", "claims.clipgs_table1.0.worse: Field required"),
    ("    - better: CLIP-GS\n      worse", "    - worse", "clipgs_table1.0.better: Field required"),
    (" clipgs_over_lerf_miou:", " clipgs_miou:", "clipgs_miou: two claims have this name"),
    ("{vote_above_sac: b}", "{vote_above_sac: bb}", "no row 'bb' in clipgs_table3; did you mean"),
    ("ladder: ladder_purity", "ladder: ladder_pure", "no ladder 'ladder_pure' in"),
    ("within: [0.9,", "at_least: 0.9\n          within: [0.9,", "a claim has at_least or within"),
    ("within: [0.9, 1.1111]", "within: [1.1, 0.9]", "within: write the lower bound first"),
    ("within: [0.9,", "within: [0.0,", "a ratio is above 0, so are its bounds"),
    ("  rules@2:", "  rules@3:", "rules.rules@2: Field required"),
    (
        "    measure: fps",
        "    measure: fps\n          scale: log",
        "scale: Input should be 'difference' or 'ratio'",
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of all tables and claims."""
    return Path(shutil.copytree(FOLDER, tmp_path / "published"))


def break_and_load(path: Path, old: str, new: str, load: Callable[[], object]) -> str:
    """Return what loading says after a replacement; one line that names the file or the table."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(SemsplatError) as caught:
        load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("old", "new", "says"), TABLE_MISTAKES)
def test_a_mistake_in_a_definition(folder: Path, old: str, new: str, says: str) -> None:
    path = folder / f"{TABLE}.yaml"
    told = break_and_load(path, old, new, lambda: load_table(TABLE, folder))
    assert str(path) in told or "no table" in told
    assert says in told


@pytest.mark.parametrize(("old", "new", "says"), MEASURE_MISTAKES)
def test_a_mistake_in_a_measure(folder: Path, old: str, new: str, says: str) -> None:
    path = folder / "measures.yaml"
    told = break_and_load(path, old, new, lambda: load_table(TABLE, folder))
    assert str(path) in told
    assert says in told


@pytest.mark.parametrize(("old", "new", "says"), CLAIM_MISTAKES)
def test_a_mistake_in_a_claim(folder: Path, old: str, new: str, says: str) -> None:
    told = break_and_load(folder / "claims.yaml", old, new, lambda: load_claims(folder))
    assert says in told


def test_an_unknown_table(folder: Path) -> None:
    with pytest.raises(SemsplatError, match="no table 'cgc_table9'; did you mean"):
        load_table("cgc_table9", folder)
