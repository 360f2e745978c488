"""Rows of a tile in compiled code against NumPy."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.row import (
    choose,
    each_exp,
    load,
    numbered,
    spread,
    store,
    times_plus,
    total,
)


@numba.njit
def compute(given, out):
    """Fill the five rows of ``out`` from the two of ``given``; return the sum of the second."""
    one = given.dtype.type(1)
    a, b = load(given, 0), load(given, 1)
    store(out, 0, (a + one) * (one - b) / b)
    store(out, 1, times_plus(a, b, spread(one)))
    store(out, 2, choose((a < b) & (a >= spread(-one)), a, numbered(one)))
    store(out, 3, choose((a <= b) & (b > a), b, a))
    store(out, 4, each_exp(a))
    return total(b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_compute_what_numpy_does(dtype):
    given = np.random.default_rng(0).standard_normal((2, TILE)).astype(dtype)
    out = np.empty((5, TILE), dtype)
    found = compute(given, out)
    a, b = given
    expected = [
        (a + 1) * (1 - b) / b,
        a * b + 1,
        np.where((a < b) & (a >= -1), a, np.arange(TILE)),
        np.maximum(a, b),
        np.exp(a),
    ]
    np.testing.assert_allclose(out, expected, rtol=20 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(out[2:4], np.array(expected[2:4], dtype))
    np.testing.assert_allclose(found, b.sum(), rtol=20 * np.finfo(dtype).eps)
