"""Folders appear whole or not at all, and what somebody else put into one is never touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semsplat.errors import SemsplatError
from semsplat.fit.job import Job
from semsplat.folders import MARKER, atomic_dir, check_ours, claim, is_ours

ENDINGS = [ValueError, KeyboardInterrupt, SystemExit]


def written(folder: Path) -> set[str]:
    """Return what is below a folder but its marker."""
    return {p.name for p in folder.rglob("*") if p.name != MARKER}


def make(folder: Path, *names: str) -> None:
    """Write a folder of ours."""
    with atomic_dir(folder) as partial:
        for name in names:
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_text(name)


def test_a_folder_replaces_the_old_one_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "up" / "folder"
    for name in ("old", "new"):
        with atomic_dir(folder) as partial:
            (partial / "sub").mkdir()
            (partial / "sub" / name).write_text(name)
            assert not (folder / "sub" / name).exists()
    assert written(folder) == {"sub", "new"} and is_ours(folder)
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_folder_leaves_nothing_new(tmp_path: Path, ending: type[BaseException]) -> None:
    with pytest.raises(ending), atomic_dir(tmp_path / "up" / "folder") as partial:
        (partial / "a").touch()
        raise ending
    assert list(tmp_path.iterdir()) == []
    make(tmp_path / "up" / "folder", "old")
    with pytest.raises(ending), atomic_dir(tmp_path / "up" / "folder") as partial:
        (partial / "a").touch()
        raise ending
    assert written(tmp_path) == {"up", "folder", "old"}


def test_what_a_kill_left_behind_is_no_part_of_the_next_folder(tmp_path: Path) -> None:
    with atomic_dir(tmp_path / "folder") as partial:
        leftover = partial
    leftover.mkdir()
    (leftover / "half").touch()
    make(tmp_path / "folder", "whole")
    assert written(tmp_path) == {"folder", "whole"}


@pytest.mark.parametrize("added", ["mine", "sub/mine", "empty/"])
def test_what_somebody_added_to_our_folder_stays(tmp_path: Path, added: str) -> None:
    folder = tmp_path / "folder"
    make(folder, "a", "sub/b")
    (folder / added).parent.mkdir(exist_ok=True)
    (folder / added).mkdir() if added.endswith("/") else (folder / added).write_text("mine")
    with pytest.raises(SemsplatError, match=f"has '{added.strip('/')}'"):
        make(folder, "new")
    assert (folder / added).exists() and (folder / "sub/b").read_text() == "sub/b"


def test_a_link_in_our_folder_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.jpg").touch()
    make(tmp_path / "folder", "a")
    (tmp_path / "folder/photos").symlink_to(tmp_path / "photos")
    with pytest.raises(SemsplatError, match="has 'photos'"):
        make(tmp_path / "folder", "a")
    assert (tmp_path / "photos/1.jpg").exists()


def test_a_folder_of_others_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    make(tmp_path / "folder", "a")  # an empty one loses nothing
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    computed = False
    for name, why in (
        ("other", "'thesis.tex'"),
        ("file", "plain folder"),
        ("link", "plain folder"),
    ):
        with pytest.raises(SemsplatError, match=why), atomic_dir(tmp_path / name):
            computed = True
        with pytest.raises(SemsplatError, match=why):
            claim(tmp_path / name, ["a"])
    assert not computed and (tmp_path / "other/thesis.tex").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "x" and (tmp_path / "link").is_symlink()


def test_files_that_appear_while_we_compute_stay(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(SemsplatError, match="has 'mine'"), atomic_dir(folder) as partial:
        (partial / "a").touch()
        folder.mkdir()
        (folder / "mine").touch()
    assert written(tmp_path) == {"folder", "mine"}


def test_a_fit_claims_its_folder_before_it_computes(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    nothing: Any = None  # a task and a scene that are never looked at
    with pytest.raises(SemsplatError, match="has 'thesis"):
        Job(nothing, tmp_path, tmp_path, nothing, "cpu").fit(nothing, nothing)
    (tmp_path / "thesis.tex").unlink()
    with pytest.raises(AttributeError):
        Job(nothing, tmp_path, tmp_path, nothing, "cpu", ("a",)).fit(nothing, nothing)
    for name in ("point_cloud.ply", "metrics.jsonl", "run.json", "a"):
        (tmp_path / name).touch()  # and then a kill
    check_ours(tmp_path)


def test_files_written_one_by_one_are_ours_from_the_start(tmp_path: Path) -> None:
    claim(tmp_path / "run", ["a", "b"])
    (tmp_path / "run/a").touch()  # and then a kill
    check_ours(tmp_path / "run")
    claim(tmp_path / "run", ["a", "b"])
    (tmp_path / "run/c").touch()
    with pytest.raises(SemsplatError, match="has 'c'"):
        claim(tmp_path / "run", ["a", "b"])
