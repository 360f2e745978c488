"""Archives of arrays."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat import arrays


@pytest.mark.parametrize("read", [arrays.read_arrays, arrays.read_array])
def test_of_several_threads_one_reads(
    read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, most, load = 0, 0, np.load

    def slowly(*given: Any, **options: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.01)
        inside -= 1
        return load(*given, **options)

    monkeypatch.setattr(np, "load", slowly)
    arrays.write_arrays(tmp_path / "a.npz", {"x": np.arange(3)})
    np.save(tmp_path / "a.npy", np.arange(3))
    path = tmp_path / ("a.npz" if read is arrays.read_arrays else "a.npy")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, [path] * 8))
    assert most == 1 and len(found) == 8
