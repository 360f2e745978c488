"""The suite's page, ``paper_figures/{suite}/index.html``: its scene, verdicts, tables, figures.

One file without a server or anything from elsewhere; pictures lie beside it.  It shows what the
suite's figures, CSV files and cards say and computes nothing.  Snakemake's report holds the same
page alone, without what lies beside it and without the 3-D scene.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from semsplat.figures.page.forest import forest
from semsplat.figures.page.ledger import FOLDED, findings, ledger, why_undecided
from semsplat.figures.page.opening import grouped, opening
from semsplat.figures.page.sheets import boards, cards, costs, printed, table_of
from semsplat.figures.published import table_names
from semsplat.figures.referee.layout import conditions
from semsplat.figures.referee.rules_told import rules_in_words
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import WORDS
from semsplat.io import atomic_path
from semsplat.job.spent import present_run
from semsplat.keys import TrainingKey

PICTURES = (".png", ".svg")
"""What browsers show; everything else is linked."""
SCENES = ".json"
"""How files of the kind splats end; the page shows the first."""
FOUND = "_findings"
"""How the names of figures of the kind findings end."""


def write_page(
    suite: str,
    files: Sequence[Path],
    trainings: Sequence[TrainingKey],
    out: Path,
    alone: Path,
    about: Mapping[str, str],
) -> None:
    """Write the page, and once more to stand alone.

    Args:
        suite: its name.
        files: the suite's other figures, in their order.
        trainings: those whose numbers it shows.
        out: index.html, in the folder of the figures.
        alone: the page without pictures and links to files.
        about: what each figure shows, by its name.
    """
    folder, names = out.parent, [path.relative_to(out.parent) for path in files]
    stems = [name.stem for name in names]
    tables = [stem for stem in stems if stem in table_names()]
    lines = ledger(folder, tables) if "claims" in stems else []
    results = Results(trainings)
    pictures = grouped((n for n in names if n.suffix in PICTURES), about)
    shown = {
        "suite": suite,
        "opening": opening(results, lines, pictures),
        "conditions": conditions(results),
        "found": [findings(folder, stem, tables) for stem in stems if stem.endswith(FOUND)],
        "words": WORDS,
        "folded": FOLDED,
        "ledger": lines,
        "forest": forest(lines),
        "undecided": why_undecided(lines),
        "rules": rules_in_words(lines[0]["rules"]) if lines else [],
        "tables": [table_of(folder, name) for name in tables],
        "boards": boards(folder) if "leaderboard" in stems else [],
        "printed": printed() if "leaderboard" in stems else [],
        "costs": costs(folder) if "costs" in stems else [],
        "run": present_run(),
        "settings": cards(trainings),
    }
    texts = [n for n in names if n.suffix not in PICTURES]
    scene = _scene([folder / n for n in texts if n.suffix == SCENES])
    beside = {"alone": False, "pictures": pictures, "texts": texts, "scene": scene}
    _render(out, shown | beside)
    _render(alone, shown | {"alone": True, "pictures": {}, "texts": [], "scene": None})


def _scene(files: Sequence[Path]) -> dict[str, Any] | None:
    """Return the first scene in 3-D; None without any."""
    if not files:
        return None
    data = files[0].read_text()
    packed = json.loads(data)
    return {"place": packed["scene"], "seed": packed["seed"], "data": data}


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
