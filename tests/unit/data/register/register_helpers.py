"""A server that can be busy, forgetful and dishonest, and entries of its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np

from semsplat.data.register.entries import Entry

PAYLOAD = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(PAYLOAD).hexdigest()
CHUNK = 2**14


@dataclass
class Server:
    """What it serves and how; ``asked`` are the requests it got, with their Range."""

    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)  # bytes until the connection breaks, per answer
    busy: int = 0  # answers with 503 before it serves
    ranges: bool = True
    says_length: bool = True
    tag: str | None = '"v1"'
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.state.asked.append((self.path, wanted))
        self.close_connection = True
        if self.state.busy:
            self.state.busy -= 1
            self._head(503, 0)
        elif self.path in self.state.moved:
            self._head(302, 0, Location=self.state.moved[self.path])
        elif self.path not in self.state.files:
            self._head(404, 0)
        else:
            self._serve(self.state.files[self.path], wanted)

    def _serve(self, data: bytes, wanted: str | None) -> None:
        same = self.headers.get("If-Range") in (None, self.state.tag)
        start = 0
        if wanted and same and self.state.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                return self._head(416, 0)
            where = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._head(206, len(data) - start, **{"Content-Range": where})
        else:
            self._head(200, len(data))
        until = self.state.cuts.pop(0) if self.state.cuts else len(data)
        self.wfile.write(data[start : start + until])

    def _head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        if self.state.says_length:
            self.send_header("Content-Length", str(length))
        if self.state.tag:
            self.send_header("ETag", self.state.tag)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()


def entry(**values: Any) -> Entry:
    """Return an entry of a file that is used as it is."""
    common = {
        "kind": "data", "of": "test", "about": "a file", "scenes": ["one"], "urls": [],
        "size_bytes": None, "sha256": None, "sha256_start": None, "licence": None, "terms": None,
        "manual": None, "link": None, "path": "downloads/file.bin", "folder": None,
    }  # fmt: skip
    return Entry.model_validate(common | values)
