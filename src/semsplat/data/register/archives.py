"""Unpack zip and tar archives of strangers: files and folders below one folder, nothing else."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from semsplat.errors import UNREADABLE, SemsplatError, one_line
from semsplat.log import progress

MOST_GROWTH = 10  # photographs hardly shrink, label maps and poses do
SPARE_BYTES = 64 * 2**20  # small archives may hold more than that of zeros
JUNK = {"__MACOSX", ".DS_Store"}  # what a file manager adds


class _Member(NamedTuple):
    """One file or folder in an archive."""

    name: str
    size: int  # the library hands out no more bytes than that
    kind: int  # one of stat's
    extract: Callable[[PurePosixPath, Path], object]  # as this path below this folder

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name)


def unpack_archive(archive: Path, out: Path) -> int:
    """Unpack into the empty folder ``out`` and return the number of files.

    A single folder around everything is left out.  Raises a one-line `SemsplatError` for what is
    no archive, damaged or encrypted, and for members that lie outside, are links or devices, come
    twice, or are far larger than the archive.
    """
    try:
        with _members(archive) as members:
            for member in members:
                _check(member, archive)
            files = [m for m in members if m.kind == stat.S_IFREG and not JUNK & {*m.path.parts}]
            _check_total(files, archive, out)
            paths = [file.path.parts for file in files]
            wrapped = len({path[:1] for path in paths}) == 1 and all(path[1:] for path in paths)
            for file in progress(files, f"unpack {archive.name}"):
                file.extract(PurePosixPath(*file.path.parts[wrapped:]), out)
            return len(files)
    except OSError as error:
        raise SemsplatError(f"{archive}: cannot be unpacked ({error.strerror or error})") from None
    except UNREADABLE as error:
        reason = one_line(error) or type(error).__name__
        raise SemsplatError(f"{archive}: cannot be unpacked ({reason}); fetch it anew") from None


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """Yield what is in an archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield [_zip_member(opened, info) for info in opened.infolist()]
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened_tar:
            yield [_tar_member(opened_tar, info) for info in opened_tar]
    else:
        raise SemsplatError(f"{archive}: neither a zip nor a tar archive; fetch it anew")


def _zip_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    def extract(path: PurePosixPath, out: Path) -> None:
        info.filename = str(path)
        opened.extract(info, out)

    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in (0, stat.S_IFREG):  # 0 where it was not packed on Unix
        kind = stat.S_IFDIR if info.is_dir() else stat.S_IFREG
    return _Member(info.filename, info.file_size, kind, extract)


def _tar_member(opened: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    def extract(path: PurePosixPath, out: Path) -> None:
        opened.extract(info.replace(name=str(path)), out, set_attrs=False, filter="data")

    kind = stat.S_IFREG if info.isfile() else stat.S_IFDIR if info.isdir() else stat.S_IFLNK
    return _Member(info.name, info.size, kind, extract)


def _check(member: _Member, archive: Path) -> None:
    """Raise for what is no file or folder, or could leave the folder, on any system.

    The libraries would put some of it inside under another name; who packs so is not to be trusted.
    """
    name, path = member.name, member.path
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name[:2]:
        raise SemsplatError(f"{archive}: '{name}' lies outside the archive's folder; not unpacked")
    if member.kind not in (stat.S_IFREG, stat.S_IFDIR):
        raise SemsplatError(f"{archive}: '{name}' is a link or a device; not unpacked")


def _check_total(files: list[_Member], archive: Path, out: Path) -> None:
    """Raise if an archive is empty, has a file twice, or holds far more than its size or room."""
    total, packed = sum(file.size for file in files), archive.stat().st_size
    if not files:
        raise SemsplatError(f"{archive}: holds no files; fetch it anew")
    path, count = Counter(file.path for file in files).most_common(1)[0]
    if count > 1:
        raise SemsplatError(f"{archive}: '{path}' comes twice; not unpacked")
    if total > MOST_GROWTH * packed + SPARE_BYTES:
        raise SemsplatError(
            f"{archive}: {packed} bytes would become {total}, no data set grows so; not unpacked"
        )
    if total > shutil.disk_usage(out).free:
        raise SemsplatError(f"{archive}: needs {total / 2**30:.1f} GiB, make room on the disk")
