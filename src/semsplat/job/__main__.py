"""The job's side: ask for a fork, hand on signals, and end as it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import NoReturn

from semsplat.job import ADDRESS, GO, HEADER, THREADS, heard


def main(threads: str, phase: str, *arguments: str) -> NoReturn:
    """Run ``semsplat.PHASE`` in a fork, or else as a program of its own."""
    threads = threads.removeprefix("--threads=")
    os.environ.update(dict.fromkeys(THREADS, threads))
    conn = _connected(phase, arguments) if threads == "1" else None
    pid = int(heard(conn, HEADER) or 0) if conn else 0
    if not conn or not pid:  # no server, or one that could not import what the phase needs
        os.execv(sys.executable, [sys.executable, "-m", f"semsplat.{phase}", *arguments])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: _pass_on(pid, number))
    conn.sendall(GO)
    status = heard(conn)
    while heard(conn):  # nothing comes, but the end of the fork
        pass
    if not status:
        print(f"error: the job was killed (process {pid})", file=sys.stderr)
    raise SystemExit(status[0] if status else 128 + signal.SIGKILL)


def _connected(phase: str, arguments: tuple[str, ...]) -> socket.socket | None:
    """Return a connection on which the server was told everything, None where there is none."""
    told = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    conn = socket.socket(socket.AF_UNIX)
    try:
        conn.connect(os.environ[ADDRESS])
        socket.send_fds(conn, [phase.encode().ljust(HEADER)], [0, 1, 2])
        conn.sendall(json.dumps(told).encode() + b"\n")
    except (OSError, KeyError):
        return None
    return conn


def _pass_on(pid: int, number: int) -> None:
    """Send the fork a signal, unless it has just ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    main(*sys.argv[1:])
