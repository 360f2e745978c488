"""Numba's threads are as they were after each test."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _restore_numba_threads() -> Any:
    import numba

    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)
