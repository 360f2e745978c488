"""Fetch one file over HTTP: mirrors, retries, going on after a cut, a check at the end."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from semsplat.data.register.entries import Entry
from semsplat.data.register.part import Part, sole_part
from semsplat.errors import SemsplatError
from semsplat.io import sha256_file
from semsplat.log import progress

CHUNK_BYTES = 2**20
TIMEOUTS_S = (10.0, 60.0)  # to connect, between two bytes
BUSY = (429, 500, 502, 503, 504)  # the server may think better of it
TRIES = 5  # in a row without a byte
PAUSE_S = 1.0  # doubles from try to try
CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class WrongContentError(SemsplatError):
    """A file is there, but another one than was meant."""


@dataclass(frozen=True)
class Content:
    """What is known of a file before it is there."""

    size_bytes: int | None
    sha256: str  # as many hex digits as are known, from none to 64

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return what the register knows of a file."""
        return cls(entry.size_bytes, entry.sha256 or entry.sha256_start or "")

    def check(self, path: Path) -> str:
        """Return the file's sha256 or raise a `WrongContentError`; the size is looked at first."""
        size = path.stat().st_size
        if self.size_bytes is not None and size != self.size_bytes:
            raise WrongContentError(f"{path}: {size} bytes, expected {self.size_bytes}")
        digest = sha256_file(path)
        if not digest.startswith(self.sha256):
            raise WrongContentError(
                f"{path}: sha256 {digest[:12]}..., expected {self.sha256[:12]}..."
            )
        return digest


class _FailedError(Exception):
    """One address does not serve the file; the message says why."""


def transfer(urls: list[str], target: Path, content: Content) -> tuple[str, str]:
    """Fetch ``target`` from the first address that serves it and return (address, sha256).

    What a cut connection or a killed process leaves is continued.  Raises a one-line
    `SemsplatError` that gives the reason of each address; then no ``target`` is there.
    """
    reasons = []
    with sole_part(target) as part, _session() as session:
        for url in urls:
            try:
                sha256 = _fetch_whole(session, url, part, content)
            except _FailedError as error:
                reasons.append(f"{url}: {error}")
                continue
            except requests.RequestException as error:
                reasons.append(f"{url}: {_short(error)}")
                continue
            except OSError as error:
                raise SemsplatError(f"{target}: cannot be written ({error.strerror})") from None
            part.finish()
            return url, sha256
    raise SemsplatError(f"{target}: not fetched; {'; '.join(reasons)}; or put it there yourself")


def _session() -> requests.Session:
    """Return a session that asks busy servers again; this file itself goes on after cuts."""
    session = requests.Session()
    retry = Retry(
        total=None, connect=0, read=0, other=0, status=TRIES - 1, status_forcelist=BUSY,
        backoff_factor=PAUSE_S, raise_on_status=False,
    )  # fmt: skip
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _fetch_whole(session: requests.Session, url: str, part: Part, content: Content) -> str:
    """Return the sha256 of the whole file; a wrong one that was continued is begun once more."""
    while True:
        continued = part.size > 0
        if part.size != content.size_bytes:
            _fetch_through_cuts(session, url, part, content)
        try:
            return content.check(part.flush())
        except WrongContentError as error:
            part.empty()
            if not continued:
                raise _FailedError(str(error).partition(": ")[2]) from None


def _fetch_through_cuts(session: requests.Session, url: str, part: Part, content: Content) -> None:
    """Go on until the server has sent all; give up after `TRIES` without a byte."""
    tries = 0
    while True:
        before = part.size
        try:
            return _fetch_rest(session, url, part, content)
        except CUT as error:
            tries = 1 if part.size > before else tries + 1
            if tries >= TRIES:
                raise _FailedError(f"{_short(error)}, {tries} times") from None
            time.sleep(PAUSE_S * 2 ** (tries - 1))


def _fetch_rest(session: requests.Session, url: str, part: Part, content: Content) -> None:
    """Append what is missing, or all if the server does not send parts or has another version."""
    start = part.size if part.url == url or len(content.sha256) == 64 else 0
    # A compressed answer would be unpacked on the way, and its bytes could not be counted.
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if part.url == url and part.version:
            headers["If-Range"] = part.version
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUTS_S) as answer:
        if answer.status_code == 416 and start:  # longer than the server's file
            part.empty()
            return _fetch_rest(session, url, part, content)
        answer.raise_for_status()
        if not _continues(answer, start):
            part.empty()
        part.begin(url, _version(answer))
        _append(answer, part, content)


def _continues(answer: requests.Response, start: int) -> bool:
    """Tell whether the answer begins at ``start``; one that begins elsewhere is useless."""
    if answer.status_code != requests.codes.partial_content:
        return False
    if not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        raise _FailedError("sent another part than was asked for")
    return True


def _append(answer: requests.Response, part: Part, content: Content) -> None:
    """Append the answer's bytes, if there is room for them, and no more than the file has."""
    length = answer.headers.get("Content-Length", "")
    total = part.size + int(length) if length.isdecimal() else content.size_bytes
    _check_room(part, total)
    chunks = answer.iter_content(CHUNK_BYTES)
    label = f"{part.flush().stem} [MiB]"
    count = math.ceil(total / CHUNK_BYTES) if total else None
    for chunk in progress(chunks, label, total=count, initial=part.size // CHUNK_BYTES):
        part.add(chunk)
        if content.size_bytes is not None and part.size > content.size_bytes:
            part.empty()
            raise _FailedError(f"more than the expected {content.size_bytes} bytes")


def _check_room(part: Part, total: int | None) -> None:
    """Raise if the disk cannot hold the rest of the file."""
    path = part.flush()
    free = shutil.disk_usage(path.parent).free
    if total is not None and total - part.size > free:
        need, left = (value / 2**30 for value in (total - part.size, free))
        raise SemsplatError(
            f"{path}: {need:.1f} GiB are missing, {left:.1f} GiB are free on the disk; make room"
        )


def _version(answer: requests.Response) -> str:
    """Return what the server calls this version of the file, if that names its bytes."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _short(error: requests.RequestException) -> str:
    """Return an error in a few words, without the library's objects."""
    if error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "connection cut"
    return "no connection" if isinstance(error, CUT) else type(error).__name__
