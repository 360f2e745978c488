"""Unpack zip and tar archives of strangers: files and folders below one folder, nothing else."""

from __future__ import annotations

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from semsplat.errors import SemsplatError
from semsplat.log import progress

MOST_GROWTH = 10  # photographs hardly shrink, label maps and poses do
SPARE_BYTES = 64 * 2**20  # small archives may hold more than that of zeros
JUNK = ("__MACOSX", ".DS_Store")
UNREADABLE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError,
    NotImplementedError, UnicodeDecodeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class _Member:
    """One file in an archive."""

    path: PurePosixPath
    size: int  # the library hands out no more bytes than that
    open: Callable[[], IO[bytes]]


def unpack_archive(archive: Path, out: Path) -> int:
    """Unpack into the empty folder ``out`` and return the number of files.

    A single folder around everything is left out.  Raises a one-line `SemsplatError` for what is
    no archive, damaged or encrypted, and for members that lie outside, are links or devices, come
    twice, or are far larger than the archive.
    """
    try:
        with _members(archive) as members:
            _check_total(members, archive, out)
            strip = _is_wrapped(members)
            for member in progress(members, f"unpack {archive.name}", total=len(members)):
                _write(member, out.joinpath(*member.path.parts[strip:]), archive)
            return len(members)
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SemsplatError(f"{archive}: cannot be unpacked ({reason}); fetch it anew") from None
    except OSError as error:
        raise SemsplatError(f"{archive}: cannot be unpacked ({error.strerror or error})") from None


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """Yield the files of an archive, their paths checked."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield list(_zip_members(opened, archive))
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened_tar:
            yield list(_tar_members(opened_tar, archive))
    else:
        raise SemsplatError(f"{archive}: neither a zip nor a tar archive; fetch it anew")


def _zip_members(opened: zipfile.ZipFile, archive: Path) -> Iterator[_Member]:
    for info in opened.infolist():
        path = _checked(info.filename, archive)
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where it was not packed on Unix
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise SemsplatError(f"{archive}: '{info.filename}' is a link or a device; not unpacked")
        if not info.is_dir() and not _is_junk(path):
            yield _Member(path, info.file_size, lambda info=info: opened.open(info))  # type: ignore[misc]


def _tar_members(opened: tarfile.TarFile, archive: Path) -> Iterator[_Member]:
    for info in opened:
        path = _checked(info.name, archive)
        if not info.isfile() and not info.isdir():
            raise SemsplatError(f"{archive}: '{info.name}' is a link or a device; not unpacked")
        if info.isfile() and not _is_junk(path):
            yield _Member(path, info.size, lambda info=info: _tar_file(opened, info))  # type: ignore[misc]


def _tar_file(opened: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    found = opened.extractfile(info)
    assert found is not None  # files have content
    return found


def _checked(name: str, archive: Path) -> PurePosixPath:
    """Return a member's path; one that could leave the folder is refused, on any system."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name[:2]:
        raise SemsplatError(f"{archive}: '{name}' lies outside the archive's folder; not unpacked")
    return path


def _is_junk(path: PurePosixPath) -> bool:
    """Tell what a file manager adds to archives."""
    return any(part in JUNK for part in path.parts)


def _is_wrapped(members: list[_Member]) -> bool:
    """Tell whether one folder is around everything."""
    firsts = {member.path.parts[0] for member in members}
    return len(firsts) == 1 and all(len(member.path.parts) > 1 for member in members)


def _check_total(members: list[_Member], archive: Path, out: Path) -> None:
    """Raise if an archive is empty, says it holds far more than its size, or more than fits."""
    total, packed = sum(member.size for member in members), archive.stat().st_size
    if not members:
        raise SemsplatError(f"{archive}: holds no files; fetch it anew")
    if total > MOST_GROWTH * packed + SPARE_BYTES:
        raise SemsplatError(
            f"{archive}: {packed} bytes would become {total}, no data set grows so; not unpacked"
        )
    if total > shutil.disk_usage(out).free:
        raise SemsplatError(f"{archive}: needs {total / 2**30:.1f} GiB, make room on the disk")


def _write(member: _Member, path: Path, archive: Path) -> None:
    """Write one file; its place must be free."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        target = path.open("xb")
    except FileExistsError:
        raise SemsplatError(f"{archive}: '{member.path}' comes twice; not unpacked") from None
    with target, member.open() as source:
        shutil.copyfileobj(source, target)
