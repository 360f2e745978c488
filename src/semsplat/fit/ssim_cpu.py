"""SSIM and its gradient on a CPU, compiled.

PyTorch writes every intermediate image to memory and reads it again; here a row of the image is
blurred across rows, then along itself, and compared while it is in a core's cache.  A row is a line
of W x C numbers in which the next pixel lies C places further, so all loops run along the line.
Each line is computed on its own and the mean adds the lines in their order: results are
bit-identical for any number of threads.
"""

from __future__ import annotations

import math

import numba
import numpy as np

REACH = 5
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2
_BELL = [math.exp(-(k**2) / (2 * SIGMA**2)) for k in range(REACH + 1)]
WINDOW = tuple(weight / (2 * sum(_BELL) - _BELL[0]) for weight in _BELL)
"""Wang et al. 2004's window along one axis, from its centre to its rim."""


@numba.njit(cache=True, error_model="numpy")
def _along(line, step, blurred):
    """Fill ``blurred`` [n] from a line [REACH step + n + REACH step]; pixels are ``step`` apart."""
    f, n = line.dtype.type, len(blurred)
    w0, w1, w2 = f(WINDOW[0]), f(WINDOW[1]), f(WINDOW[2])
    w3, w4, w5 = f(WINDOW[3]), f(WINDOW[4]), f(WINDOW[5])
    # Views: an index that is a sum keeps the loop out of the vector units.
    far, l4, l3, l2, l1 = line, line[step:], line[2 * step :], line[3 * step :], line[4 * step :]
    r1, r2, r3 = line[6 * step :], line[7 * step :], line[8 * step :]
    r4, r5, centre = line[9 * step :], line[10 * step :], line[5 * step :]
    for j in range(n):
        near = w0 * centre[j] + w1 * (l1[j] + r1[j]) + w2 * (l2[j] + r2[j])
        blurred[j] = near + w3 * (l3[j] + r3[j]) + w4 * (l4[j] + r4[j]) + w5 * (far[j] + r5[j])


@numba.njit(cache=True, error_model="numpy")
def _add_moments(weight, x, y, mean_x, mean_y, squares, product):
    """Add a row's share in the means of x, y, x^2 + y^2 and x y."""
    for j in range(len(x)):
        mean_x[j] += weight * x[j]
        mean_y[j] += weight * y[j]
        squares[j] += weight * (x[j] * x[j] + y[j] * y[j])
        product[j] += weight * (x[j] * y[j])


@numba.njit(cache=True, error_model="numpy")
def _moments_across(x, y, line, margin, padded):
    """Fill a line's moments [4, margin + W C + margin], blurred across rows, between zeros."""
    f, (height, width) = x.dtype.type, x.shape
    padded[:] = 0
    past = margin + width
    # One slice each: a slice of a slice keeps the loop over it out of the vector units.
    mean_x, mean_y = padded[0, margin:past], padded[1, margin:past]
    squares, product = padded[2, margin:past], padded[3, margin:past]
    for row in range(max(0, line - REACH), min(height, line + REACH + 1)):
        weight = f(WINDOW[abs(row - line)])
        _add_moments(weight, x[row], y[row], mean_x, mean_y, squares, product)


@numba.njit(cache=True, error_model="numpy")
def _compare(moments, values, by_mean, by_squares, by_product):
    """Fill ``values`` with a line's SSIM, the others with its gradients; return the values' sum."""
    f, total = moments.dtype.type, 0.0
    mean_x, mean_y, squares, product = moments[0], moments[1], moments[2], moments[3]
    for j in range(len(by_mean)):
        mx, my = mean_x[j], mean_y[j]
        means, spreads = mx * mx + my * my + f(C1), squares[j] - mx * mx - my * my + f(C2)
        luminance, contrast = f(2) * mx * my + f(C1), f(2) * (product[j] - mx * my) + f(C2)
        scale = f(1) / (means * spreads)
        value = luminance * contrast * scale
        by_x = my * (contrast - luminance) + mx * value * (means - spreads)
        by_mean[j] = f(2) * scale * by_x
        by_squares[j] = -value * means * scale
        by_product[j] = f(2) * luminance * scale
        values[j] = value
    for j in range(len(values)):  # a loop that adds up in order gets no vector units
        total += values[j]
    return total


@numba.njit(parallel=True, cache=True, error_model="numpy")
def mean_ssim(x, y, step):
    """Return the mean SSIM of x and y [H, W C], and its slopes [3, H, W C] for its adjoint.

    ``step`` is C, the number of channels.  Beyond the border lie zeros, as in 3DGS.
    """
    (height, width), margin = x.shape, REACH * step
    slopes, sums = np.empty((3, height, width), x.dtype), np.zeros(height)
    for line in numba.prange(height):
        padded, m = np.empty((4, width + 2 * margin), x.dtype), np.empty((4, width), x.dtype)
        _moments_across(x, y, line, margin, padded)
        for k in range(4):
            _along(padded[k], step, m[k])
        values, by = padded[0, :width], slopes[:, line]
        sums[line] = _compare(m, values, by[0], by[1], by[2])
    return sums.sum() / x.size, slopes


@numba.njit(cache=True, error_model="numpy")
def _add_row(weight, row, total):
    """Add a weighted row."""
    for j in range(len(row)):
        total[j] += weight * row[j]


@numba.njit(cache=True, error_model="numpy")
def _through_products(factor, by_mean, by_squares, by_product, x, y, vx):
    """Fill a line of the gradient from the blurred slopes."""
    two = x.dtype.type(2)
    for j in range(len(vx)):
        vx[j] = factor * (by_mean[j] + two * x[j] * by_squares[j] + y[j] * by_product[j])


@numba.njit(parallel=True, cache=True, error_model="numpy")
def mean_ssim_adjoint(x, y, step, slopes, v):
    """Return the gradient of x [H, W C] given ``v``, that of the mean SSIM.

    A blur is its own adjoint: the window is symmetric and zeros lie outside.
    """
    f, (height, width), margin = x.dtype.type, x.shape, REACH * step
    vx, factor = np.empty_like(x), f(v / x.size)
    for line in numba.prange(height):
        padded, m = np.zeros((3, width + 2 * margin), x.dtype), np.empty((3, width), x.dtype)
        for k in range(3):
            for row in range(max(0, line - REACH), min(height, line + REACH + 1)):
                weight = f(WINDOW[abs(row - line)])
                _add_row(weight, slopes[k, row], padded[k, margin : margin + width])
            _along(padded[k], step, m[k])
        _through_products(factor, m[0], m[1], m[2], x[line], y[line], vx[line])
    return vx
