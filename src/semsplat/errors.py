"""The one exception users see: what is wrong, where, what to do, in one line."""

from __future__ import annotations

import errno
import lzma
import pickle
import signal
import struct
import sys
import tarfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from textwrap import shorten
from typing import Any, NoReturn

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SemsplatError(Exception):
    """Bad input or an impossible request; the message is one line a user can act on."""


def one_line(error: Exception) -> str:
    """Return the message of another library's exception as one line, not longer than a line."""
    return shorten(str(error), 160, placeholder=" ...")


def did_you_mean(word: str, known: list[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest of ``known``, or an empty string."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


UNREADABLE = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError),
    *(RuntimeError, SyntaxError, TypeError, ValueError, Warning),
    *(lzma.LZMAError, pickle.UnpicklingError, struct.error, tarfile.TarError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What the readers of formats raise for truncated, damaged and foreign files."""


@contextmanager
def readable(path: Path, what: str, advice: str) -> Iterator[None]:
    """Turn whatever a reader raises for a file into one line with the file's name.

    Args:
        path: the file that is read within the block.
        what: what it should be, as in "a PLY".
        advice: what to do where it is none.
    """
    try:
        yield
    except SemsplatError as error:
        if str(path) in str(error):
            raise
        raise SemsplatError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise SemsplatError(f"{path}: no such file; {advice}") from None
    except UNREADABLE as error:
        reason = one_line(error) or type(error).__name__
        raise SemsplatError(f"{path}: not {what} ({reason}); {advice}") from None


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a `SemsplatError` into ``error: ...`` on stderr and exit status 1.

    So is a full disk, whoever writes; Ctrl-C and SIGTERM are one line and 128 plus their number.
    """
    with suppress(ValueError):  # only the main thread may say what a signal does
        signal.signal(signal.SIGTERM, _stop)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except SemsplatError as error:
        _end(f"error: {error}", 1)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        place = f"{error.filename}: " if error.filename else ""
        _end(f"error: {place}the disk is full ({error.strerror}); free some and run again", 1)
    except KeyboardInterrupt as stop:
        number = stop.args[0] if stop.args else signal.SIGINT
        name = signal.Signals(number).name
        _end(f"stopped by {name}; what is finished or saved will be continued from", 128 + number)


def _stop(number: int, _: Any) -> NoReturn:
    """End as Ctrl-C does, so that what is half done is cleaned up."""
    raise KeyboardInterrupt(number)


def _end(line: str, status: int) -> NoReturn:
    print(line, file=sys.stderr)
    raise SystemExit(status) from None
