"""What is read is what was recorded, and a record that was changed says so itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semsplat.data.manifest import write_manifest
from semsplat.errors import SemsplatError
from semsplat.io import SEAL, read_json, write_json, write_sealed
from semsplat.verified import verified


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of results."""
    out = tmp_path / "results/0"
    (out / "maps").mkdir(parents=True)
    for name in ("a", "b"):
        (out / "maps" / name).write_text(name)
    write_manifest(out, {"facts": 1})
    return out


def test_what_was_recorded_is_read(folder: Path) -> None:
    assert verified(folder / "maps/a").read_text() == "a"
    (folder / "mine").write_text("x")  # nobody recorded it
    assert verified(folder / "mine") == folder / "mine"
    assert verified(folder / "missing") == folder / "missing"  # its reader says so


def test_swapped_files_are_refused(folder: Path) -> None:
    a, b = folder / "maps/a", folder / "maps/b"
    a.rename(folder / "c")
    b.rename(a)
    (folder / "c").rename(b)
    for path in (a, b):
        with pytest.raises(
            SemsplatError, match=r"manifest\.json records; delete .*/0 and run again"
        ):
            verified(path)


def test_a_file_that_changes_after_it_was_read_is_refused(folder: Path) -> None:
    path = verified(folder / "maps/a")
    path.write_text("z")
    with pytest.raises(SemsplatError, match="is not the file"):
        verified(path)
    write_manifest(folder, {"facts": 1})  # made anew
    assert verified(path).read_text() == "z"


@pytest.mark.parametrize(("record", "table"), [("run.json", "outputs"), ("scores.json", "files")])
def test_cards_and_scores_record_what_lies_beside_them(
    tmp_path: Path, record: str, table: str
) -> None:
    (tmp_path / "out.ply").write_text("result")
    write_json(tmp_path / record, {table: {"out.ply": 64 * "0"}})
    with pytest.raises(SemsplatError, match=record):
        verified(tmp_path / "out.ply")


def test_a_record_of_somebody_else_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    for content in ('{"files": ["a"]}', '{"name": "a web app"}', "[]", "{"):
        (tmp_path / "manifest.json").write_text(content)
        assert verified(tmp_path / "a").read_text() == "a"


def test_a_sealed_record_reads_as_it_was_written(tmp_path: Path) -> None:
    data = {"b": [1, 2.5, None], "a": {"1": 1e-7, "é": "ü"}}
    write_sealed(tmp_path / "run.json", {**data, "c": {1: 2}})
    assert read_json(tmp_path / "run.json") == {**data, "c": {"1": 2}}


@pytest.mark.parametrize(("old", "new"), [("2.5", "2.6"), ('"abc"', '"abd"'), ("null", "0")])
def test_a_changed_record_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "scores.json"
    write_sealed(path, {"psnr": 2.5, "commit": "abc", "none": None})
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SemsplatError, match="changed since it was written; delete it and run"):
        read_json(path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_no_number_is_infinite(tmp_path: Path, number: str) -> None:
    (tmp_path / "a.json").write_text(f'{{"psnr": {number}}}')
    with pytest.raises(SemsplatError, match=f"a.json: not valid JSON .{number} is no JSON number"):
        read_json(tmp_path / "a.json")
    with pytest.raises(ValueError, match="JSON compliant"):
        write_sealed(tmp_path / "b.json", {"psnr": float(number.lower())})
    assert not (tmp_path / "b.json").exists()


def test_the_seal_is_over_everything_else(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", {"x": 1})
    raw = json.loads((tmp_path / "a.json").read_text())
    assert set(raw) == {"x", SEAL} and len(raw[SEAL]) == 64
