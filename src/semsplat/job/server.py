"""The fork server: a process per phase that has imported its libraries and forks for each job.

The server forks a *template* for a phase when its first job comes, so that a phase nobody needs
costs nothing; the template imports, and forks for every job of the phase.  A job's fork takes over
the standard streams, folder, environment and arguments of the program that asked, and dies with
it.  The server ends with the workflow: the workflow holds the other end of its standard input.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, NoReturn

from semsplat.job import GO, HEADER, THREADS, heard

BASE = ("torch", "numba", "cv2", "tyro", "pydantic", "semsplat.commands", "semsplat.verified")
PRELOADED = {
    "features": ("semsplat.features.extraction", "semsplat.features.teach"),
    "geometry": ("semsplat.geometry", "semsplat.fit.job"),
    "train": ("semsplat.train.run", "semsplat.fit.job"),
    "evaluate": (
        "semsplat.evaluate.jobs",
        "semsplat.geometry.trained",
        "skimage.metrics.simple_metrics",
    ),
    "figures": ("matplotlib.pyplot", "semsplat.figures.page", "statsmodels.stats.multitest"),
    "track": ("semsplat.track.mlflow_log", "mlflow.store.tracking.sqlalchemy_store"),
}
"""What templates import; what a job needs beyond it imports itself."""


class Asked(NamedTuple):
    """A job: its phase, the connection to who asks, and that one's standard streams."""

    phase: str
    conn: socket.socket
    streams: list[int]


def start() -> tuple[str, subprocess.Popen[bytes]]:
    """Start a server; return the path of its socket, and what it ends with.

    The server is nobody's child, so that who ends a workflow's processes ends jobs once: through
    the programs that asked for them.
    """
    address = str(Path(tempfile.mkdtemp(prefix="semsplat-")) / "socket")
    program = subprocess.Popen(
        [sys.executable, "-m", "semsplat.job.server", address],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **dict.fromkeys(THREADS, "1")},
    )  # fmt: skip
    program.wait()
    return address, program


def main(address: str) -> None:
    """Listen, leave the parent, and serve until the workflow ends."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        if os.fork():
            return
        os.setsid()  # Ctrl-C reaches forks once, through who asked
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for forks
        asked = serve(listening)
    if asked:
        run(asked)
    shutil.rmtree(Path(address).parent, ignore_errors=True)


def serve(listening: socket.socket) -> Asked | None:
    """Return a job in each fork that shall do one, and None in the server at its end."""
    for module in BASE:
        import_module(module)
    import_module("numba").njit(lambda: 0)()  # imports what Numba needs for its first kernel
    if os.fork() == 0:
        compile_kernels(listening)
    templates: dict[str, socket.socket] = {}
    for conn in _connections(listening):
        with conn:
            header, streams, _, _ = socket.recv_fds(conn, HEADER, 3)
            package = header.decode().partition(".")[0].strip()
            if package not in templates:
                templates[package], there = socket.socketpair()
                if os.fork() == 0:
                    _close(listening.detach(), conn.detach(), *streams)
                    _close(*(other.detach() for other in templates.values()))
                    return template(package, there)
                there.close()
            with suppress(OSError):  # a template that could not import: who asks will say why
                socket.send_fds(templates[package], [header], [conn.fileno(), *streams])
            _close(*streams)
    return None


def compile_kernels(listening: socket.socket) -> NoReturn:
    """Let a machine that never compiled the kernels do so while the workflow draws scenes."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    listening.close()
    try:
        if not import_module("semsplat.gpu").visible_gpus():
            import_module("semsplat.fit.kernels").compile_kernels()
    finally:
        os._exit(0)


def _close(*fds: int) -> None:
    """Close what another process has: an end that anybody holds is no end."""
    for fd in fds:
        os.close(fd)


def _connections(listening: socket.socket) -> Iterator[socket.socket]:
    """Yield who connects, until standard input ends."""
    while True:
        ready, _, _ = select.select([listening.fileno(), sys.stdin.fileno()], [], [])
        if sys.stdin.fileno() in ready:
            return
        yield listening.accept()[0]


def template(package: str, forwarded: socket.socket) -> Asked:
    """Import what a package's phases need, and return their jobs, each in a fork."""
    for module in PRELOADED.get(package, ()):
        import_module(module)
    gc.freeze()  # a collection would touch, and so copy, all of it in every fork
    while True:
        header, fds, _, _ = socket.recv_fds(forwarded, HEADER, 4)
        if not header:
            os._exit(0)  # with the server
        if os.fork() == 0:
            forwarded.close()
            return Asked(header.decode().strip(), socket.socket(fileno=fds[0]), fds[1:])
        _close(*fds)


def run(asked: Asked) -> NoReturn:
    """Become the program that was asked for, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(asked.streams):
        os.dup2(stream, number)
        os.close(stream)
    told = json.loads(asked.conn.makefile().readline())
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    sys.argv = [asked.phase, *told["arguments"]]
    asked.conn.sendall(str(os.getpid()).encode())
    if heard(asked.conn) != GO:
        os._exit(1)
    _watch(asked.conn)
    status = 1
    try:
        runpy.run_module(f"semsplat.{asked.phase}", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as stop:
        status = _number(stop)
    finally:  # any other error goes on, and Python prints it
        atexit._run_exitfuncs()
        sys.stdout.flush()
        asked.conn.send(bytes([status]))
    os._exit(status)  # tearing down modules copies the template's memory: two seconds


def _watch(conn: socket.socket) -> None:
    """Watch who asked from a thread that takes no signals: they have to wake the job's own."""
    handled = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    threading.Thread(target=_die_with, args=(conn,), daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, handled)


def _die_with(conn: socket.socket) -> None:
    """End at once when who asked was killed."""
    if not heard(conn):
        os.kill(os.getpid(), signal.SIGKILL)


def _number(stop: SystemExit) -> int:
    """Return the exit status that Python makes of what was raised, and print what it would."""
    if stop.code is None or isinstance(stop.code, int):
        return (stop.code or 0) & 255
    print(stop.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    main(*sys.argv[1:])
