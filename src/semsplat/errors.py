"""The one exception users see: what is wrong, where, what to do, in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class SemsplatError(Exception):
    """Bad input or an impossible request; the message is one line a user can act on."""


def one_line(error: Exception) -> str:
    """Return the message of another library's exception as one line."""
    return " ".join(str(error).split())


def did_you_mean(word: str, known: list[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest of ``known``, or an empty string."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a `SemsplatError` into ``error: ...`` on stderr and exit status 1."""
    try:
        yield
    except SemsplatError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
