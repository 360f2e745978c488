"""Archives of strangers become files below one folder, or nothing."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from semsplat.data.register import archives
from semsplat.data.register.archives import unpack_archive
from semsplat.errors import SemsplatError

FILES = {"scene/images/a.png": b"aaa", "scene/sparse/0/cameras.bin": b"bb", "scene/empty": b""}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write_tar_link(path: Path, kind: bytes, to: str) -> Path:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("scene/link")
        info.type, info.linkname = kind, to
        archive.addfile(info)
    return path


def write_zip_link(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("scene/link")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return path


def encrypt(path: Path) -> Path:
    data = bytearray(write_zip(path, FILES).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 1)
    path.write_bytes(data)
    return path


def damage(path: Path) -> Path:
    data = bytearray(write_zip(path, {"a/x": bytes(range(256)) * 40}).read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    return path


def write_page(path: Path) -> Path:
    path.write_text("<html>")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_a_folder_around_everything_is_left_out(write: Callable[..., Path], tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    junk = {"__MACOSX/scene/._a.png": b"j", "scene/.DS_Store": b"j"}
    assert unpack_archive(write(tmp_path / "archive", FILES | junk), out) == len(FILES)
    assert contents(out) == {name.removeprefix("scene/"): data for name, data in FILES.items()}


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_several_folders_stay(write: Callable[..., Path], tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    files = {**FILES, "other/x": b"x"}
    unpack_archive(write(tmp_path / "archive", files), out)
    assert contents(out) == files


def test_folders_and_modes_of_a_packer_do_not_matter(tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        folder = zipfile.ZipInfo("scene/empty_folder/")
        folder.external_attr = (stat.S_IFREG | 0o777) << 16  # what some packers say of folders
        archive.writestr(folder, b"")
        file = zipfile.ZipInfo("scene/a")
        file.external_attr = (stat.S_IFREG | stat.S_ISUID | 0o777) << 16
        archive.writestr(file, b"a")
    assert unpack_archive(tmp_path / "archive", out) == 1
    assert contents(out) == {"a": b"a"}
    assert not (out / "a").stat().st_mode & (stat.S_ISUID | stat.S_IXUSR)


def test_a_tar_gives_files_neither_mode_nor_time(tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    with tarfile.open(tmp_path / "archive", "w") as archive:
        info = tarfile.TarInfo("scene/a")
        info.mode, info.mtime = 0o4777, 1
        archive.addfile(info)
    unpack_archive(tmp_path / "archive", out)
    found = (out / "a").stat()
    assert not found.st_mode & (stat.S_ISUID | stat.S_IXUSR) and found.st_mtime > 1


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "zip slip": (lambda p: write_zip(p, {"a/../../evil": b"x"}), "outside"),
    "zip absolute": (lambda p: write_zip(p, {"/tmp/evil": b"x"}), "outside"),
    "zip drive": (lambda p: write_zip(p, {"C:/evil": b"x"}), "outside"),
    "zip link": (write_zip_link, "link"),
    "zip twice": (lambda p: write_zip(p, {"s/a": b"x", "s//a": b"y"}), "twice"),
    "zip file as folder": (lambda p: write_zip(p, {"a": b"x", "a/b": b"y"}), "cannot be unpacked"),
    "zip encrypted": (encrypt, "encrypted"),
    "zip damaged": (damage, "cannot be unpacked"),
    "tar absolute": (lambda p: write_tar(p, {"/tmp/evil": b"x"}), "outside"),
    "tar slip": (lambda p: write_tar(p, {"../evil": b"x"}), "outside"),
    "tar symlink": (lambda p: write_tar_link(p, tarfile.SYMTYPE, "/etc"), "link"),
    "tar hard link": (lambda p: write_tar_link(p, tarfile.LNKTYPE, "../../x"), "link"),
    "tar device": (lambda p: write_tar_link(p, tarfile.FIFOTYPE, ""), "device"),
    "no files": (lambda p: write_zip(p, {}), "no files"),
    "no archive": (write_page, "neither"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_archives_are_refused_and_nothing_is_written_outside(what: str, tmp_path: Path):
    write, reason = BAD[what]
    archive, out = write(tmp_path / "archive"), tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    with pytest.raises(SemsplatError, match=reason) as caught:
        unpack_archive(archive, out)
    assert "\n" not in str(caught.value)
    outside = [path for path in tmp_path.rglob("*") if out not in path.parents]
    assert sorted(outside) == sorted([archive, out.parent, out])


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_bombs_are_refused_before_anything_is_written(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(archives, "SPARE_BYTES", 2**20)
    out = tmp_path / "out"
    out.mkdir()
    bomb = write(tmp_path / "archive", {"a/zeros": bytes(2**24)})
    with pytest.raises(SemsplatError, match="no data set grows so"):
        unpack_archive(bomb, out)
    assert contents(out) == {}


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path):
    data = write_zip(tmp_path / "archive", {"a/zeros": bytes(2**20)}).read_bytes()
    true, said = (2**20).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    (tmp_path / "archive").write_bytes(data.replace(true, said))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(SemsplatError, match="cannot be unpacked"):
        unpack_archive(tmp_path / "archive", out)
    assert sum(map(len, contents(out).values())) <= 1000


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = type("Usage", (), {"free": 2})
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SemsplatError, match="make room"):
        unpack_archive(write_zip(tmp_path / "archive", FILES), tmp_path)
