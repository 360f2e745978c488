"""The register's entries, the way from an entry to a folder, and what is said of both."""

from __future__ import annotations

import io
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from semsplat.cli import main as semsplat
from semsplat.data.register.__main__ import main
from semsplat.data.register.docs import with_register
from semsplat.data.register.entries import Entry, entries, entry_of, file_of, how_to_get
from semsplat.data.register.fetch import (
    download,
    fetch,
    status,
    status_lines,
    times_lost,
    unpack,
)
from semsplat.errors import SemsplatError
from semsplat.evaluate.lpips import WEIGHTS
from semsplat.io import read_json
from semsplat.paths import hub_dir
from tests.unit.data.register.register_helpers import PAYLOAD, SHA256, Server, entry

ROOT = Path(__file__).parents[4]
Register = dict[str, Entry]
REAL = dict(entries())

PUBLISHED = {  # bytes, sha256
    "lerf_mask_figurines": (412520786, "83eae6c65e5a0041"),
    "lerf_mask_ramen": (196846820, "0f1914280216c111"),
    "lerf_mask_teatime": (257081615, "8e1ac21925d0eb5f"),
    "mipnerf360": (12535427936, None),
    "sam_vit_h": (2564550879, "a7bf3b02f3ebf126"),
    "sam_vit_l": (None, "3adcc4315b642a4d"),
    "sam_vit_b": (None, "ec2df62732614e57"),
    "clip_vit_b_16_openai": (None, "5806e77cd80f8b59"),
}


def test_sizes_and_hashes_are_the_published_ones():
    for name, (size, digits) in PUBLISHED.items():
        found = entries()[name]
        assert found.size_bytes == size
        assert (found.sha256 or "").startswith(digits or "-") == (digits is not None)
    others = set(entries()) - set(PUBLISHED)
    assert all(not entries()[name].size_bytes and not entries()[name].sha256 for name in others)


def test_hashes_in_addresses_and_file_names_are_the_registered_ones():
    clip = entries()["clip_vit_b_16_openai"]
    assert clip.sha256 and clip.sha256 in clip.urls[0]
    for net, name in WEIGHTS.items():
        found = entries()[f"lpips_{net}"]
        assert found.sha256_start and found.sha256_start in name
        assert file_of(found) == hub_dir() / "checkpoints" / name


def test_every_data_set_and_model_of_the_papers_is_there():
    known = {found.of for found in entries().values() if found.kind == "data"}
    assert {"replica", "scannet", "lerf_ovs", "mipnerf360", "lerf_mask", "ovs3d"} <= known
    assert {"sam2_1_hiera", "grounding_dino", "deva", "clip_vit_b_16_laion2b"} <= set(entries())


def test_what_has_terms_is_never_fetched_and_says_whom_to_ask(register: Register):
    register |= {name: real for name, real in REAL.items() if real.terms}
    assert {found.of for found in register.values()} == {"replica", "scannet"}
    for name, found in register.items():
        with pytest.raises(SemsplatError) as caught:
            fetch(name)
        said = str(caught.value)
        assert found.terms and found.terms in said and (found.link or "?") in said
        assert (found.path or found.folder or "?") in said and "\n" not in said


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"urls": ["http://a/b"], "size_bytes": 1, "terms": "ask"}, "either 'urls'"),
        ({"urls": []}, "either 'urls'"),
        ({"urls": ["http://a/b"]}, "a hash or a size"),
        ({"urls": ["ftp://a/b"], "size_bytes": 1}, "urls"),
        ({"urls": ["http://a/b"], "size_bytes": 1, "path": None, "folder": "photos/a"}, "'path'"),
        ({"manual": "a", "path": None}, "one of 'path' and 'folder'"),
        ({"manual": "a", "path": "/etc/passwd"}, "neither below"),
        ({"manual": "a", "folder": "photos/../src"}, "neither below"),
        ({"manual": "a", "sha256": "abc"}, "sha256"),
        ({"manual": "a", "scene": "b"}, "scene"),
    ],
)
def test_entries_that_cannot_work_are_refused(values: dict[str, Any], reason: str):
    with pytest.raises(ValidationError, match=reason):
        entry(**values)


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"scene/{name}", data)
    return buffer.getvalue()


@pytest.fixture
def archive(server: Server, register: Register) -> str:
    """Return the name of an archive that the server has."""
    data = zipped(a=b"1", b=b"2")
    server.files["/scene.zip"] = data
    register["set"] = entry(
        urls=[f"{server.url}/scene.zip"], size_bytes=len(data), sha256=sha256(data).hexdigest(),
        path="downloads/set/scene.zip", folder="photos/set/scene",
    )  # fmt: skip
    return "set"


FOLDER = Path("photos/set/scene")


def test_an_archive_becomes_a_folder_once(archive: str, server: Server):
    assert fetch(archive) == FOLDER
    assert {path.name for path in FOLDER.iterdir()} == {"a", "b", ".semsplat"}
    receipt = read_json(Path("downloads/receipts/set.json"))
    unpacked = read_json(Path("downloads/receipts/set.unpacked.json"))
    assert receipt["url"] == f"{server.url}/scene.zip" and unpacked["of"] == receipt["sha256"]
    fetch(archive)
    assert len(server.asked) == 1
    assert status(archive) == "verified and unpacked in photos/set/scene/"


def test_the_commands_do_the_same_step_by_step(
    archive: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for step, *further in (["download"], ["unpack", "--times-lost", "0"]):
        monkeypatch.setattr(sys, "argv", ["register", step, "--name", archive, *further])
        main()
    assert (FOLDER / "a").read_bytes() == b"1"
    monkeypatch.setattr(sys, "argv", ["semsplat", "data", "fetch", archive])
    semsplat()
    assert str(FOLDER) in capsys.readouterr().out
    for words in (["fetch"], ["status", archive], ["fetch", "sett"]):
        monkeypatch.setattr(sys, "argv", ["semsplat", "data", *words])
        with pytest.raises(SystemExit):
            semsplat()
        assert capsys.readouterr().err.startswith("error: ")


def test_an_interrupted_unpacking_leaves_no_folder(archive: str, monkeypatch: pytest.MonkeyPatch):
    real, calls = zipfile.ZipFile.extract, []

    def interrupt(*args: Any) -> None:
        if calls:
            raise KeyboardInterrupt
        calls.append(real(*args))

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extract", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch(archive)
    assert not Path("photos/set").exists()
    assert not Path("downloads/receipts/set.unpacked.json").exists()
    Path("photos/set/.scene.partial").mkdir(parents=True)  # what SIGKILL leaves
    fetch(archive)
    assert (FOLDER / "b").is_file() and list(Path("photos/set").iterdir()) == [FOLDER]


def test_a_folder_that_a_person_filled_is_used_and_never_replaced(archive: str):
    FOLDER.mkdir(parents=True)
    (FOLDER / "mine").write_text("x")
    assert fetch(archive) == FOLDER
    assert status(archive).startswith("present, put there by hand")
    with pytest.raises(SemsplatError, match="which semsplat did not put there"):
        unpack(archive, 0)
    assert [path.name for path in FOLDER.iterdir()] == ["mine"]


def test_what_a_person_adds_to_an_unpacked_folder_is_never_lost(archive: str):
    fetch(archive)
    unpack(archive, 0)
    (FOLDER / "label").mkdir()
    with pytest.raises(SemsplatError, match="which semsplat did not put there"):
        unpack(archive, 0)
    assert (FOLDER / "label").is_dir() and fetch(archive) == FOLDER


def test_an_archive_that_a_person_put_there_is_checked(
    archive: str, server: Server, register: Register
):
    path = Path("downloads/set/scene.zip")
    path.parent.mkdir(parents=True)
    path.write_bytes(server.files["/scene.zip"] + b"x")
    with pytest.raises(SemsplatError, match=r"bytes, expected .*remove or replace it"):
        fetch(archive)
    assert path.is_file() and not Path("downloads/receipts").exists()
    register["set"] = entry(manual="a person must", path=str(path), folder=str(FOLDER))
    assert status(archive).startswith("present, not checked")
    path.write_bytes(server.files["/scene.zip"])
    assert fetch(archive) == FOLDER and server.asked == []


def test_a_changed_file_is_not_taken_for_checked(archive: str):
    download(archive)
    assert status(archive).startswith("verified at downloads/set/scene.zip: ")
    Path("downloads/set/scene.zip").write_bytes(zipped(other=b"3"))
    assert status(archive).startswith("present, not checked")
    with pytest.raises(SemsplatError, match="expected"):
        unpack(archive, 0)


def test_a_removed_folder_is_unpacked_again(archive: str):
    assert times_lost(archive) == 0
    fetch(archive)
    receipt = Path("downloads/receipts/set.unpacked.json")
    assert times_lost(archive) == 0
    FOLDER.rename("elsewhere")
    assert times_lost(archive) == 1 and receipt.is_file()
    assert fetch(archive).is_dir() and receipt.is_file()
    assert times_lost(archive) == 0  # by hand: what a workflow wrote down stays true


def test_a_workflow_counts_how_often_a_folder_was_lost(archive: str):
    for lost in range(3):
        assert times_lost(archive) == lost
        Path("downloads/receipts/set.unpacked.json").unlink(missing_ok=True)  # as Snakemake does
        unpack(archive, lost)
        assert times_lost(archive) == lost
        FOLDER.rename(f"elsewhere_{lost}")


def test_a_file_without_a_published_hash_has_its_own_recorded(server: Server, register: Register):
    register["plain"] = entry(urls=[f"{server.url}/good"], size_bytes=len(PAYLOAD))
    assert fetch("plain") == Path("downloads/file.bin")
    assert read_json(Path("downloads/receipts/plain.json"))["sha256"] == SHA256
    assert "no hash is published" in status("plain")
    with pytest.raises(SemsplatError, match="nothing to unpack"):
        unpack("plain", 0)


def test_status_tells_what_was_begun_and_what_is_missing(server: Server, register: Register):
    register["plain"] = entry(urls=[f"{server.url}/good"], size_bytes=len(PAYLOAD))
    register["hand"] = entry(
        manual="a person must", link="http://a/b", path=None, folder="photos/a"
    )
    Path("downloads").mkdir()
    Path("downloads/file.bin.part").write_bytes(bytes(2**20))
    plain, hand = status_lines()
    assert plain == "plain  begun, 1.0 MiB are there: semsplat data fetch plain goes on"
    assert hand.startswith("hand   missing: get it yourself (http://a/b) and put it at photos/a/")
    assert how_to_get("hand") in hand and server.asked == []


def test_what_lies_in_a_place_of_the_register_is_known():
    assert entry_of(Path("photos/lerf_mask/teatime")) == "lerf_mask_teatime"
    assert entry_of(Path("photos/360_v2/room")) == "mipnerf360"
    # A file of its own inside another entry's folder.
    assert entry_of(Path("photos/scannet/scannetv2-labels.combined.tsv")) == "scannet_labels"
    assert entry_of(Path("photos/scannet/scene0004_00")) == "scannet_scans"
    assert entry_of(Path("downloads/models/ViT-B-16.pt")) == "clip_vit_b_16_openai"
    assert entry_of(Path("photos")) is None
    assert entry_of(Path("photos/my_desk")) is None


def test_the_page_on_data_sets_has_the_register():
    text = (ROOT / "docs/data.md").read_text()
    assert text == with_register(text), "docs/data.md is stale; run python -m semsplat.experiment"
    assert all(f"| `{name}` |" in text for name in entries())
