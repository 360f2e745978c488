"""A server on this machine and a register of its files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from semsplat.data.register import docs, fetch
from semsplat.data.register import entries as entries_module
from semsplat.data.register import transfer as transfer_module
from semsplat.data.register.entries import Entry
from tests.unit.data.register.register_helpers import CHUNK, PAYLOAD, Handler, Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve PAYLOAD at /good; clients do not pause, and write small pieces."""
    monkeypatch.setattr(transfer_module, "PAUSE_S", 0.0)
    monkeypatch.setattr(transfer_module, "CHUNK_BYTES", CHUNK)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    state = Server(files={"/good": PAYLOAD})
    handler = type("StatefulHandler", (Handler,), {"state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        state.url = f"http://127.0.0.1:{http.server_port}"
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        http.shutdown()


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Entry]:
    """Return an empty register that the code uses, in an empty working folder."""
    found: dict[str, Entry] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for module in (entries_module, docs, fetch):
        monkeypatch.setattr(module, "entries", lambda: found)
    return found
