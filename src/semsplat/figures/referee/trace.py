"""From a number in a table back to commit, parameters and photographs, digest by digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semsplat.errors import SemsplatError, did_you_mean
from semsplat.figures.referee.chain import Link, chain, changed, is_still, scene_of
from semsplat.figures.referee.declared import author_line, author_of
from semsplat.figures.referee.sheet import read_records
from semsplat.io import is_sealed, read_json, sha256_file
from semsplat.keys import TrainingKey, parse_training
from semsplat.verified import RECORDS, mismatches

FORM = "FIGURE.md:ROW:COLUMN, of claims and costs FIGURE.md:ROW"


class Traced:
    """The lines of a trace, and what is no longer as it was recorded."""

    def __init__(self, address: str) -> None:
        """Follow an address.

        Args:
            address: ``paper_figures/demo/clipgs_table3.md:c:miou@procedural``; the names of rows
                and columns are those of the CSV beside the table.

        Raises:
            SemsplatError: no such figure, row or column, or a number without trainings.
        """
        self.breaks: list[str] = []
        self.table, self._record = find(address)
        self.lines = list(self._follow(address))

    def _follow(self, address: str) -> Iterator[str]:
        path, record = self.table, self._record
        numbers = {k: v for k, v in record.items() if v and k not in ("trainings", "training")}
        yield f"{path}  sha256 {sha256_file(path)}"
        yield "  " + ", ".join(f"{name} {value}" for name, value in numbers.items())
        names = record.get("trainings") or record.get("training") or ""
        if not names:
            why = record.get("reason") or record.get("verdict") or "no trainings"
            raise SemsplatError(f"{address}: nothing of ours is behind this number: {why}")
        for text in names.split():
            yield from self._training(parse_training(text))

    def _training(self, training: TrainingKey) -> Iterator[str]:
        scores = read_json(training.scores_path)
        yield f"{training.scores_path}  sha256 {sha256_file(training.scores_path)}"
        yield f"  protocols {scores['protocol']}"
        self._compare(training.scores_path.parent)
        predictions = training.scores_path.parent / "predictions/manifest.json"
        yield self._checked("  predictions", predictions, scores["predictions_sha256"])
        self._compare(predictions.parent)
        for link in chain(training.folder, training.kind):
            yield from self._link(link)
        scene = scene_of(read_json(training.card_path)) / "manifest.json"
        yield self._checked("  scene", scene, scores["truth_sha256"])
        self._compare(scene.parent)

    def _link(self, link: Link) -> Iterator[str]:
        card, git = link.card, link.card["git"]
        state = " with uncommitted changes" if git["dirty"] else ""
        path = link.folder / "run.json"
        yield f"  {link.kind} {path}  sha256 {sha256_file(path)}"
        yield f"    commit {git['commit']}{state}, code {card['code']}, run key {card['run_key']}"
        if author_of(card) is not None:
            yield f"    {author_line(str(card['config']['setting']), [card])}"
        for name, digest in card["inputs"].items():
            yield f"    made from {name}  sha256 {digest}"
        for name, digest in card["outputs"].items():
            yield f"    result {link.folder / name}  sha256 {digest}"
        self.breaks += changed(link)
        self._compare(link.folder)

    def _compare(self, folder: Path) -> None:
        """Compare every file of a folder with what its records say, and these with themselves."""
        self.breaks += mismatches(folder)
        self.breaks += [
            f"{path} has no digest of itself; run again"
            for path in (folder / name for name in RECORDS)
            if path.is_file() and not is_sealed(path)
        ]

    def _checked(self, word: str, path: Path, digest: str) -> str:
        if not is_still(path, digest):
            self.breaks.append(f"{path} is not what was scored")
        return f"{word} {path}  sha256 {digest}"


def find(address: str) -> tuple[Path, dict[str, str]]:
    """Return a figure and the line of its CSV that an address names."""
    parts = address.split(":", 2)  # of columns, names of classes may have one
    path = Path(parts[0])
    records_path = path.with_suffix(".csv") if path.name else path
    if len(parts) not in (2, 3) or not records_path.is_file():
        raise SemsplatError(f"'{address}': no such table, or not {FORM}")
    records = read_records(records_path)
    key = next(iter(records[0]), "")
    matching = _matching(records, key, parts[1], records_path)
    if "column" not in matching[0]:
        return path, matching[0]
    if len(parts) == 2:
        columns = ", ".join(record["column"] for record in matching)
        raise SemsplatError(f"'{address}' names no column; there are {columns}")
    return path, _matching(matching, "column", parts[2], records_path)[0]


def _matching(
    records: list[dict[str, str]], key: str, value: str, path: Path
) -> list[dict[str, str]]:
    matching = [record for record in records if record[key] == value]
    if not matching:
        known = list(dict.fromkeys(record[key] for record in records))
        fix = did_you_mean(value, known) or f"; there are {', '.join(known)}"
        raise SemsplatError(f"{path}: no {key} '{value}'{fix}")
    return matching
