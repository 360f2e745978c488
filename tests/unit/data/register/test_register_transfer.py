"""Whatever the network does, the right file is there in the end or none."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semsplat.data.register import transfer as transfer_module
from semsplat.data.register.part import note_of, part_of, sole_part
from semsplat.data.register.transfer import Content, transfer
from semsplat.errors import SemsplatError
from semsplat.io import write_json
from tests.unit.data.register.register_helpers import CHUNK, PAYLOAD, SHA256, Server

RIGHT = Content(len(PAYLOAD), SHA256)


def fetched(server: Server, target: Path, *paths: str, content: Content = RIGHT) -> str:
    """Transfer from paths of the server, and check that the right file alone is left."""
    url, sha256 = transfer([server.url + path for path in paths], target, content)
    assert target.read_bytes() == PAYLOAD and sha256 == SHA256
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    return url.removeprefix(server.url)


def refused(server: Server, target: Path, *paths: str, content: Content = RIGHT) -> str:
    """Transfer in vain, in one line, and leave no file; return the line."""
    with pytest.raises(SemsplatError) as caught:
        transfer([server.url + path for path in paths], target, content)
    assert "\n" not in str(caught.value) and not target.exists()
    return str(caught.value)


def test_a_file_arrives_whole(server: Server, tmp_path: Path):
    assert fetched(server, tmp_path / "new" / "file.bin", "/good") == "/good"


@pytest.mark.parametrize("content", [RIGHT, Content(None, SHA256), Content(None, "")])
def test_a_cut_connection_is_continued(server: Server, tmp_path: Path, content: Content):
    server.cuts = [100_000, 0, 50_000]
    fetched(server, tmp_path / "file.bin", "/good", content=content)
    starts = [int(r.removeprefix("bytes=").removesuffix("-")) for _, r in server.asked if r]
    assert len(starts) == 3 and starts == sorted(starts)
    assert 100_000 - CHUNK < starts[0] <= 100_000 < starts[2]


def test_a_killed_process_is_continued(server: Server, tmp_path: Path):
    target = tmp_path / "file.bin"
    server.cuts = [100_000] + [0] * transfer_module.TRIES
    said = refused(server, target, "/good")
    assert "connection cut" in said and part_of(target).stat().st_size > 0
    server.asked.clear()
    server.cuts = []
    fetched(server, target, "/good")
    assert len(server.asked) == 1 and server.asked[0][1] is not None


def test_a_part_that_another_address_began_is_continued_only_if_the_hash_is_known(
    server: Server, tmp_path: Path
):
    for content, continued in ((RIGHT, True), (Content(None, ""), False)):
        target = tmp_path / str(continued) / "file.bin"
        target.parent.mkdir()
        part_of(target).write_bytes(PAYLOAD[:1000])
        write_json(note_of(target), {"url": "http://elsewhere/file", "version": '"v1"'})
        fetched(server, target, "/good", content=content)
        assert (server.asked.pop()[1] == "bytes=1000-") == continued


def test_a_part_of_an_older_version_is_begun_anew(server: Server, tmp_path: Path):
    target = tmp_path / "file.bin"
    part_of(target).write_bytes(b"x" * 1000)
    write_json(note_of(target), {"url": f"{server.url}/good", "version": '"v0"'})
    fetched(server, target, "/good", content=Content(None, ""))
    assert len(server.asked) == 1


@pytest.mark.parametrize("note", [True, False])
def test_a_part_with_wrong_bytes_is_begun_anew(server: Server, tmp_path: Path, note: bool):
    target = tmp_path / "file.bin"
    part_of(target).write_bytes(b"x" * 1000)
    if note:
        write_json(note_of(target), {"url": f"{server.url}/good", "version": ""})
    fetched(server, target, "/good")
    assert len(server.asked) == (2 if note else 1)


@pytest.mark.parametrize("extra", [0, 5])
def test_a_part_that_is_complete_or_too_long_is_finished(
    server: Server, tmp_path: Path, extra: int
):
    target = tmp_path / "file.bin"
    part_of(target).write_bytes(PAYLOAD + b"x" * extra)
    write_json(note_of(target), {"url": f"{server.url}/good", "version": '"v1"'})
    fetched(server, target, "/good")
    assert len(server.asked) == (2 if extra else 0)


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path):
    server.ranges, server.tag = False, None
    server.cuts = [100_000]
    fetched(server, tmp_path / "file.bin", "/good")
    assert len(server.asked) == 2


def test_a_server_that_never_comes_far_is_given_up(server: Server, tmp_path: Path):
    server.cuts = [0] * 20
    assert "5 times" in refused(server, tmp_path / "file.bin", "/good")
    assert list(tmp_path.iterdir()) == []


def test_the_second_address_is_asked_where_the_first_has_nothing(server: Server, tmp_path: Path):
    assert fetched(server, tmp_path / "file.bin", "/gone", "/good") == "/good"
    said = refused(server, tmp_path / "other.bin", "/gone", "/lost")
    assert "/gone: HTTP 404" in said and "/lost: HTTP 404" in said
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


def test_redirects_are_followed(server: Server, tmp_path: Path):
    server.moved = {"/old": "/newer", "/newer": f"{server.url}/good"}
    server.cuts = [100_000]
    assert fetched(server, tmp_path / "file.bin", "/old") == "/old"
    server.moved = {"/round": "/round"}
    assert "HTTP 302" in refused(server, tmp_path / "other.bin", "/round")


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path):
    server.busy = 2
    fetched(server, tmp_path / "file.bin", "/good")
    server.busy = 20
    assert "HTTP 503" in refused(server, tmp_path / "other.bin", "/good")


@pytest.mark.parametrize(
    ("data", "content", "reason"),
    [
        (PAYLOAD[:-1] + b"x", RIGHT, "sha256"),
        (PAYLOAD[:-9], RIGHT, f"{len(PAYLOAD) - 9} bytes, expected {len(PAYLOAD)}"),
        (PAYLOAD + b"x", RIGHT, "more than the expected"),
        (b"<html>quota exceeded</html>", Content(None, SHA256[:8]), "sha256"),
        (b"", RIGHT, "0 bytes"),
    ],
    ids=["changed", "truncated", "longer", "page", "empty"],
)
def test_a_wrong_file_is_refused_and_the_next_address_asked(
    server: Server, tmp_path: Path, data: bytes, content: Content, reason: str
):
    server.files["/bad"] = data
    assert reason in refused(server, tmp_path / "file.bin", "/bad", content=content)
    assert list(tmp_path.iterdir()) == []
    assert fetched(server, tmp_path / "file.bin", "/bad", "/good", content=content) == "/good"


def test_a_file_that_ends_early_without_a_length_is_refused(server: Server, tmp_path: Path):
    server.says_length, server.ranges = False, False
    server.cuts = [100_000] * 20
    assert "100000 bytes" in refused(server, tmp_path / "file.bin", "/good")


def test_no_server_is_one_line(server: Server, tmp_path: Path):
    with pytest.raises(SemsplatError, match="no connection"):
        transfer(["http://127.0.0.1:9/file"], tmp_path / "file.bin", RIGHT)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(server: Server, tmp_path: Path, monkeypatch: Any):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(transfer_module.shutil, "disk_usage", lambda path: usage)
    assert "make room" in refused(server, tmp_path / "file.bin", "/good")


def test_two_processes_do_not_write_one_file(server: Server, tmp_path: Path):
    target = tmp_path / "file.bin"
    code = f"""
from pathlib import Path
from semsplat.data.register.part import sole_part
with sole_part(Path({str(target)!r})):
    print("held", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdin
        assert other.stdout.readline() == "held\n"
        with pytest.raises(SemsplatError, match="another process"), sole_part(target):
            pass
        other.communicate("\n")
    fetched(server, target, "/good")


def test_the_reasons_hold_no_objects_of_the_library(server: Server, tmp_path: Path):
    server.cuts = [0] * 20
    assert not re.search(r"0x|object|Exception", refused(server, tmp_path / "f", "/good", "/gone"))
