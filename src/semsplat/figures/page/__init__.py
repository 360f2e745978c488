"""The suite's page, ``paper_figures/{suite}/index.html``: verdicts, tables, figures, costs, cards.

One file without a server or anything from elsewhere; pictures lie beside it.  It shows what the
suite's CSV files and cards say and computes nothing.  Snakemake's report holds the same page alone,
without what lies beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from semsplat.figures.claims import effect_text, told
from semsplat.figures.published import load_table, table_names
from semsplat.figures.referee.cells import Cell, parse_cell
from semsplat.figures.referee.chain import chain
from semsplat.figures.referee.layout import (
    blocks,
    conditions,
    notes,
    our_text,
    printed_text,
    reasons_of,
)
from semsplat.figures.referee.rules_told import rules_in_words
from semsplat.figures.referee.sheet import read_records
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import WORDS
from semsplat.io import atomic_path, read_json
from semsplat.job.spent import present_run
from semsplat.keys import TrainingKey, parse_training

PICTURES = (".png", ".svg")
"""What browsers show; everything else is linked."""
FOUND = "_findings"
"""How the names of figures of the kind findings end."""
CARD_FACTS = ("run_key", "git", "code", "config", "inputs", "outputs", "numbers")
"""What the page shows of a card beside its machine: all but times of day, paths and the host."""


def write_page(
    suite: str,
    files: Sequence[Path],
    trainings: Sequence[TrainingKey],
    out: Path,
    alone: Path,
) -> None:
    """Write the page, and once more to stand alone.

    Args:
        suite: its name.
        files: the suite's other figures, in their order.
        trainings: those whose numbers it shows.
        out: index.html, in the folder of the figures.
        alone: the page without pictures and links to files.
    """
    folder, names = out.parent, [path.relative_to(out.parent) for path in files]
    stems = [name.stem for name in names]
    tables = [stem for stem in stems if stem in table_names()]
    ledger = _ledger(folder) if "claims" in stems else []
    shown = {
        "suite": suite,
        "conditions": conditions(Results(trainings)),
        "found": [_findings(folder, stem, tables) for stem in stems if stem.endswith(FOUND)],
        "words": WORDS,
        "ledger": ledger,
        "rules": rules_in_words(ledger[0]["rules"]) if ledger else [],
        "tables": [_table(folder, name) for name in tables],
        "costs": _costs(folder) if "costs" in stems else [],
        "run": present_run(),
        "settings": _settings(trainings),
    }
    pictures = _grouped(n for n in names if n.suffix in PICTURES)
    texts = [n for n in names if n.suffix not in PICTURES]
    _render(out, shown | {"alone": False, "pictures": pictures, "texts": texts})
    _render(alone, shown | {"alone": True, "pictures": {}, "texts": []})


def anchor(trainings: str) -> str:
    """Return where the page shows what ``dataset/scene/setting/seed ...`` were made from.

    The training itself, or the narrowest group that holds them all.
    """
    keys = [parse_training(text) for text in trainings.split()]
    settings, places = {t.setting for t in keys}, {t.place for t in keys}
    if len(keys) == 1:
        return f"run-{keys[0]}"
    if len(settings) > 1:
        return "runs"
    return f"run-{keys[0].place}/{keys[0].setting}" if len(places) == 1 else f"set-{settings.pop()}"


def _render(out: Path, shown: dict[str, Any]) -> None:
    """Write the template with what it shows."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with atomic_path(out) as partial:
        partial.write_text(environment.get_template("index.html").render(shown))


def _findings(folder: Path, name: str, tables: Sequence[str]) -> dict[str, Any]:
    """Return a paper's findings; each knows whether its ladder is one of the page's tables."""
    records = [
        {
            **record,
            "here": record["ladder"] in tables,
            "depends": record["depends"].replace("`", ""),
        }
        for record in read_records(folder / f"{name}.csv")
    ]
    return {"paper": records[0]["paper"], "findings": records}


def _ledger(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of claims.csv with their numbers as text."""
    lines: list[dict[str, Any]] = []
    for record in read_records(folder / "claims.csv"):
        names = ("printed", "effect", "low", "high", "can_show")
        values = {name: float(record[name]) if record[name] else None for name in names}
        numbers = {name: effect_text(value, record) for name, value in values.items()}
        more = {
            "ratio": record["scale"] == "ratio",
            "links": [anchor(t) for t in _sides(record["trainings"])],
            "reason": told(record, values["can_show"]),
            "p_holm": f"{float(record['p_holm']):.2g}" if record["p_holm"] else "",
            "rules": int(record["rules"]),
        }
        lines.append({**record, **numbers, **more})
    return lines


def _sides(trainings: str) -> list[str]:
    """Return the trainings of each setting among them."""
    by_setting: dict[str, list[str]] = {}
    for text in trainings.split():
        by_setting.setdefault(parse_training(text).setting, []).append(text)
    return [" ".join(texts) for texts in by_setting.values()]


def _table(folder: Path, name: str) -> dict[str, Any]:
    """Return a table as blocks of texts and links."""
    table = load_table(name)
    cells = [parse_cell(record) for record in read_records(folder / f"{name}.csv")]
    reasons = reasons_of(cells)

    def shown(cell: Cell) -> dict[str, Any]:
        link = anchor(cell.trainings) if cell.mean is not None else None
        return {
            "printed": printed_text(cell),
            "ours": our_text(cell, reasons),
            "link": link,
            "reason": cell.reason,
            "order": cell.published if cell.mean is None else cell.mean,
        }

    laid = [
        {
            "title": block.title,
            "heads": [head.replace("`", "").split("<br>") for head in block.heads],
            "rows": [
                (row[0].label.replace("`", ""), [shown(cell) for cell in row]) for row in block.rows
            ],
        }
        for block in blocks(table, cells)
    ]
    return {"name": name, "paper": table.paper, "blocks": laid, "notes": notes(table, cells)}


def _costs(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of costs.csv."""
    lines = read_records(folder / "costs.csv")
    return [
        {
            "training": line.pop("training"),
            "numbers": {n: f"{float(v):.1f}" if v else "" for n, v in line.items()},
        }
        for line in lines
    ]


def _grouped(names: Iterable[Path]) -> dict[str, list[Path]]:
    """Return the pictures of every figure."""
    groups: dict[str, list[Path]] = {}
    for name in names:
        groups.setdefault(name.parts[0].removesuffix(name.suffix), []).append(name)
    return groups


def _settings(trainings: Sequence[TrainingKey]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return setting: scene: the cards of its trainings."""
    cards: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for training in sorted(trainings, key=lambda t: (t.setting, t)):
        places = cards.setdefault(training.setting, {})
        places.setdefault(training.place, []).append(_card(training))
    return cards


def _card(training: TrainingKey) -> dict[str, Any]:
    """Return what the page shows of one training: its card, its scores, what it was made from."""
    links = chain(training.folder)
    scores = read_json(training.scores_path)
    return {
        "name": str(training),
        "seed": training.seed,
        "card": {name: links[0].card[name] for name in CARD_FACTS}
        | {"machine": {k: v for k, v in links[0].card["machine"].items() if k != "host"}},
        "metrics": scores["metrics"],
        "sources": [
            {"kind": k.kind, "folder": str(k.folder), "key": k.card["run_key"]} for k in links[1:]
        ],
        "commit": links[0].card["git"]["commit"],
        "dirty": links[0].card["git"]["dirty"],
    }
