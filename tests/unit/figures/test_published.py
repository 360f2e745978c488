"""The papers' tables: definitions, printed numbers and claims fit together."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from statistics import fmean

import pytest
import yaml

import semsplat
from semsplat.evaluate import protocols
from semsplat.experiment.check import check
from semsplat.figures.published import (
    FOLDER,
    load_claims,
    load_measures,
    load_printed,
    load_table,
    paper_names,
    printed_value,
    table_names,
)
from semsplat.figures.published.claim_models import Claim

ROOT = Path(__file__).parents[3]
CLAIMS = load_claims().claims
PREFIXES = (
    "clip_regions_",
    "grounding_dino_",
    "own_vote_",
    "train_",
    "points_",
    "gaussians_",
    "beyond_",
)
PREFIXES += ("beyond_", "object_", "part_", "nyu19_", "nyu15_", "nyu10_")
WRITERS = {
    "speed": ["evaluate/answers/*.py"],
    "card": ["train/run.py", "fit/job.py", "provenance.py"],
}
COSTS = {
    *("preprocess_s", "geometry_s", "language_s", "total_s"),
    *("peak_ram_mb", "peak_gpu_mb", "bytes_per_gaussian"),
}
ABLATIONS = ["clipgs_table3", "gags_table4", "gags_table5", "gags_table6", "cgc_table3"]
WITHOUT_MEASURE = {"infer_image_encoder_s", "infer_open_set_head_s"}
AGAINST_OWN_TABLE = {"clipgs_d8_miou", "gags_one_field_time"}
CLIPGS_MARGINS = [
    ("clipgs_table1", "replica_miou", 17.285),
    ("clipgs_table1", "scannet_miou", 20.807),
    ("clipgs_table2", "replica_miou", 14.716),
    ("clipgs_table2", "scannet_miou", 20.413),
]
GAGS_MEANS = {"lerf": ["ramen", "teatime", "kitchen", "figurines"]}
GAGS_MEANS["mip360"] = ["room", "counter", "garden", "bonsai"]
GAGS_PAIRS = dict(
    zip([s for m in GAGS_MEANS.values() for s in m], [71, 59, 22, 56, 29, 37, 21, 18], strict=True)
)
LERF_MASK = ["figurines", "ramen", "teatime"]


@cache
def metrics_of_protocols() -> dict[str, tuple[str, ...]]:
    """Return {protocol: its metrics}."""
    names = [module.name for module in pkgutil.iter_modules(protocols.__path__)]
    modules = [importlib.import_module(f"{protocols.__name__}.{name}") for name in names]
    return {module.NAME: module.METRICS for module in modules}


def printed_effects(claim: Claim) -> list[float]:
    """Return what a claim's table prints of it, column by column."""
    table, printed = load_table(claim.table), load_printed(claim.table)
    measure = table.measures[claim.measure]
    of_measure = [n for n, c in table.columns.items() if c.measure == claim.measure]
    effects = []
    for column in claim.columns or table.means(claim.measure) or of_measure:
        pair = [printed_value(table, printed, row, column) for row in (claim.better, claim.worse)]
        better, worse = pair if measure.better == "higher" else pair[::-1]
        if better is not None and worse is not None:
            effects.append(better / worse if claim.scale == "ratio" else better - worse)
    return effects


def test_all_twelve_tables_have_a_definition() -> None:
    printed = {path.stem for path in FOLDER.glob("*.csv")} - {"numbers"}  # no table of any paper
    assert paper_names() == sorted(printed)
    assert len(paper_names()) == 12
    for name in paper_names():
        table = load_table(name)
        assert table.paper
        assert name == f"{table.paper.lower().replace('-', '')}_table{table.number}"
        assert table.footnotes


@pytest.mark.parametrize("name", table_names())
def test_settings_and_stand_ins_are_in_params(name: str) -> None:
    params = check(yaml.safe_load((ROOT / "params.yaml").read_text()))
    table = load_table(name)
    assert set(table.settings) <= set(params.settings)
    assert set(table.evidence) <= set(params.datasets)


def test_every_measure_stands_in_a_table() -> None:
    tables = [load_table(name) for name in table_names()]
    used = {measure for table in tables for measure in table.measures}
    others = [m for table in tables for row in table.rows.values() for m in row.instead.values()]
    used |= {name for name, measure in load_measures().items() if measure in others}
    assert used == set(load_measures())


def test_a_table_may_say_otherwise_what_a_measure_says_of_itself() -> None:
    known, third = load_measures(), load_table("clipgs_table3").measures
    assert known["fps"].note is None and "A100" in str(third["fps"].note)
    assert known["lpips"].note and third["lpips"].note is None
    details = load_table("clipgs_details").measures
    assert (known["miou"].digits, third["miou"].digits, details["miou"].digits) == (3, 3, 2)
    assert details["fps"].digits == known["fps"].digits == 1  # no score


@pytest.mark.parametrize("name", load_measures())
def test_measures_are_what_the_files_hold(name: str) -> None:
    measure = load_measures()[name]
    if measure.protocol is not None:
        for metric in {measure.name, measure.on_real or measure.name}:
            for prefix in PREFIXES:
                metric = metric.removeprefix(prefix)
            assert metric in metrics_of_protocols()[measure.protocol]
    elif measure.source == "costs":
        assert measure.name in COSTS
    else:
        root = Path(semsplat.__file__).parent
        written = "".join(
            p.read_text() for path in WRITERS[measure.source] for p in root.glob(path)
        )
        assert f'"{measure.name}"' in written or f"{measure.name}=" in written


@pytest.mark.parametrize("name", paper_names())
def test_every_printed_number_has_its_place(name: str) -> None:
    table, printed = load_table(name), load_printed(name)
    turned = [column.rows for column in table.columns.values() if column.rows]
    numeric = {c for row in printed.values() for c, value in row.items() if value is not None}
    if turned:
        assert (list(table.columns), numeric) == (list(printed), set(turned[0].values()))
    else:
        rows = [name for name, row in table.rows.items() if row.printed]
        assert (rows, numeric - set(table.columns)) in [
            (list(printed), set()),
            (list(printed), WITHOUT_MEASURE),
        ]
    cells = [printed_value(table, printed, row, c) for row in table.rows for c in table.columns]
    assert len([cell for cell in cells if cell is not None]) >= len(table.rows)


@pytest.mark.parametrize("name", ["gags_table1", "gags_table2"])
def test_means_of_gags_are_those_of_its_scenes(name: str) -> None:
    for row in load_printed(name).values():
        for dataset, scenes in GAGS_MEANS.items():
            ending = "loc_acc" if name == "gags_table1" else "miou"
            mean = fmean(row[f"{dataset}_{scene}_{ending}"] or 0 for scene in scenes)
            assert row[f"{dataset}_overall_{ending}"] == pytest.approx(mean, abs=0.0051)


def test_means_of_the_other_tables_are_those_of_their_scenes() -> None:
    for name in ("cgc_table1", "cgc_table3"):
        for row in load_printed(name).values():
            for metric in ("miou", "mbiou"):
                mean = fmean(row[f"{scene}_{metric}"] or 0 for scene in LERF_MASK)
                assert row[f"average_{metric}"] == pytest.approx(mean, abs=0.05)
    for row in load_printed("cgc_table2").values():
        *scenes, average = (value or 0 for value in row.values())
        assert average == pytest.approx(fmean(scenes), abs=0.05)
    *scenes_of, overall = load_printed("gags_table5").values()
    for column, value in overall.items():
        assert value == pytest.approx(fmean(s[column] or 0 for s in scenes_of), abs=0.0051)


def test_totals_of_gags_run_times_are_sums() -> None:
    for row in load_printed("gags_table3").values():
        for stage in ("train", "infer"):
            *parts, total = [row[c] or 0 for c in row if c.startswith(stage)]
            assert total == sum(parts)


def test_localisation_of_gags_is_a_number_of_pairs_but_for_two_cells() -> None:
    unrounded = set()
    for row, cells in load_printed("gags_table1").items():
        for scene, pairs in GAGS_PAIRS.items():
            cell = next(cells[c] for c in cells if f"_{scene}_" in c) or 0
            if cell not in [round(100 * hits / pairs, 2) for hits in range(pairs + 1)]:
                unrounded.add((row, scene, cell))
    assert unrounded == {("LEGaussian", "garden", 71.42), ("GOI", "ramen", 56.33)}


@pytest.mark.parametrize(("name", "column", "margin"), CLIPGS_MARGINS)
def test_margins_in_the_text_of_clipgs_follow_from_its_tables(
    name: str, column: str, margin: float
) -> None:
    first, second = sorted((row[column] or 0 for row in load_printed(name).values()), reverse=True)[
        :2
    ]
    assert first - second == pytest.approx(margin, abs=1e-9)


def test_inconsistencies_of_the_papers_are_kept() -> None:
    gags = {name: load_printed(name) for name in ("gags_table2", "gags_table4", "gags_table6")}
    assert gags["gags_table2"]["GAGS"]["mip360_overall_miou"] == 64.49
    assert gags["gags_table6"]["4"]["miou"] == 64.49
    assert gags["gags_table4"]["3"]["miou"] == 63.94
    assert load_printed("cgc_table1")["CGC"]["teatime_miou"] == 80.5
    assert load_printed("cgc_table3")["Complete"]["teatime_miou"] == 80.6
    sparse = load_printed("clipgs_table2")
    assert sparse["CLIP-GS"]["replica_lpips"] == 0.196  # worse, though the text says better
    assert sparse["Feature 3DGS"]["replica_lpips"] == 0.193


def test_claims_are_many_and_of_every_paper() -> None:
    counts = {p: sum(n.startswith(f"{p}_") for n in CLAIMS) for p in ("clipgs", "gags", "cgc")}
    assert sum(counts.values()) == len(CLAIMS) >= 30
    assert min(counts.values()) >= 10


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_row_of_an_ablation_is_in_a_claim(name: str) -> None:
    claims = [claim for claim in CLAIMS.values() if claim.table == name]
    printed = {key for key, row in load_table(name).rows.items() if row.printed}
    assert {row for c in claims for row in (c.better, c.worse)} == printed


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_compares_two_settings_in_one_measure(name: str) -> None:
    claim, table = CLAIMS[name], load_table(CLAIMS[name].table)
    better, worse = table.rows[claim.better], table.rows[claim.worse]
    assert claim.better != claim.worse
    assert better.setting is None or better.setting != worse.setting
    assert name.startswith(claim.table.split("_")[0])
    assert {table.columns[c].measure for c in claim.columns or ()} <= {claim.measure}
    assert claim.printed is None or not printed_effects(claim)


def in_region(effect: float, low: float, high: float) -> bool:
    """Tell whether an effect is what a claim allows."""
    return low <= effect <= high


def test_the_tables_bear_out_all_claims_but_two() -> None:
    effects = {name: printed_effects(claim) for name, claim in CLAIMS.items()}
    regions = {name: claim.region for name, claim in CLAIMS.items()}
    against = {n for n, e in effects.items() if e and not in_region(fmean(e), *regions[n])}
    assert against == AGAINST_OWN_TABLE
