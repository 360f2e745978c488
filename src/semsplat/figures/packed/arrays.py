"""Arrays one after the other, and the file that holds them."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.io import atomic_path

LEVEL = 9
"""zlib's; a page is read more often than drawn."""


class Blob:
    """What arrays are appended to; equal arrays are kept once."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._bytes = bytearray()
        self._at: dict[bytes, int] = {}

    def add(self, array: NDArray[Any]) -> int:
        """Append an array's bytes, and return where they begin."""
        held = np.ascontiguousarray(array).tobytes()
        if held not in self._at:
            self._at[held] = len(self._bytes)
            self._bytes += held
        return self._at[held]

    def text(self) -> str:
        """Return all of it, deflated, in base64."""
        return b64encode(zlib.compress(bytes(self._bytes), LEVEL)).decode()


def write_packed(out: Path, header: dict[str, Any], blob: Blob) -> None:
    """Write a header with its blob as JSON that may stand inside a script element."""
    text = json.dumps(header | {"bytes": blob.text()}, ensure_ascii=True)
    with atomic_path(out) as partial:
        partial.write_text(text.replace("<", "\\u003c") + "\n")
