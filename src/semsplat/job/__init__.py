"""Jobs of a workflow without the seconds that each program takes to import its libraries.

``python -m semsplat.job --threads=N PHASE ...`` does what ``python -m semsplat.PHASE ...`` does on
N threads.  Where a workflow has started a fork server (`semsplat.job.server`) a job of one thread
is a fork of a process that has imported the phase's libraries; else it becomes that program.
"""

import socket

ADDRESS = "SEMSPLAT_FORK_SERVER"
"""The environment variable with the path of the server's socket."""
HEADER = 64
"""Bytes of a request's first message: the phase, and beside it the standard streams."""
GO = b"!"
"""What who asks sends a fork when signals can be handed on to it."""
THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Read when libraries are imported: the server serves jobs of one thread."""


def heard(conn: socket.socket, size: int = 1) -> bytes:
    """Wait for the other side's next bytes; none when it has ended, however it did."""
    try:
        return conn.recv(size)
    except ConnectionResetError:
        return b""
