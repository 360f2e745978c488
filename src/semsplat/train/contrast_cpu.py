"""The loops of `contrast.contrastive_clustering` on a CPU, in single precision.

Compiled, because PyTorch writes every intermediate result of P x N numbers to memory and reads it
again.  Here a batch of pixels is compared with all clusters and differentiated while its
similarities are in a core's cache.  They lie cluster by cluster, so that sums and maxima over
clusters run along the pixels, in vector units, in the order of the clusters.
"""

from __future__ import annotations

import math

import numba
import numpy as np

BATCH = 128  # pixels compared at once, at most
PRODUCT = 2**18  # multiplications from which on OpenBLAS starts threads of its own, inside ours
SHARES = 16  # of the pixels, taken by threads; their number decides the last bits, not the threads'
SHORTEST = np.float32(1e-12)  # a shorter feature is not brought to length 1, as in `F.normalize`
LOWEST = np.float32(-126)  # exponent of the smallest power of two that is a normal number
LN_2 = math.log(2)
TAYLOR = tuple(np.float32(LN_2**k / math.factorial(k)) for k in range(7))
"""of 2^t: within half a unit of the last place for |t| <= 1/2"""


@numba.njit(cache=True, error_model="numpy", nogil=True)
def inverse_lengths(features, pixels, members, sums):
    """Return 1/|f| of every pixel, float32 [P], and add the unit features to ``sums`` [N, D].

    features: float32 [H W, D]; pixels, members: int64 [P], rows of it and of ``sums``.
    """
    inverse = np.empty(len(pixels), np.float32)
    for p in range(len(pixels)):
        q, total = pixels[p], np.float32(0)
        for d in range(features.shape[1]):
            total += features[q, d] * features[q, d]
        inverse[p] = np.float32(1) / max(np.sqrt(total), SHORTEST)
        for d in range(features.shape[1]):
            sums[members[p], d] += features[q, d] * inverse[p]
    return inverse


@numba.njit(cache=True, error_model="numpy", nogil=True)
def distance_sums(features, inverse, pixels, members, means):
    """Return the sum of |unit feature - mean| over the pixels of every cluster, float32 [N]."""
    sums = np.zeros(len(means), np.float32)
    for p in range(len(pixels)):
        feature, mean, total = features[pixels[p]], means[members[p]], np.float32(0)
        for d in range(len(feature)):
            away = feature[d] * inverse[p] - mean[d]
            total += away * away
        sums[members[p]] += np.sqrt(total)
    return sums


@numba.njit(cache=True, error_model="numpy")
def _unit_rows(features, inverse, pixels, start, stop, unit, across):
    """Fill ``unit`` [BATCH, D] with pixels, then zeros, and ``across`` with its transpose."""
    unit[stop - start :] = 0
    across[:, stop - start :] = 0
    for p in range(start, stop):
        for d in range(features.shape[1]):
            unit[p - start, d] = features[pixels[p], d] * inverse[p]
            across[d, p - start] = unit[p - start, d]


@numba.njit(cache=True, error_model="numpy")
def _largest(similarity, largest):
    """Fill ``largest`` [BATCH] with the maxima over clusters."""
    largest[:] = similarity[0]
    for n in range(1, similarity.shape[0]):
        for i in range(similarity.shape[1]):
            s = similarity[n, i]
            largest[i] = s if s > largest[i] else largest[i]


@numba.njit(cache=True, error_model="numpy")
def _to_powers(similarity, largest, exponents, sums):
    """Replace similarities s [N, BATCH] by 2^(s - largest); fill ``sums`` [BATCH] over clusters.

    exponents: int32 [BATCH], scratch space, whose bits are those of powers of two.
    """
    one, c1, c2, c3, c4, c5, c6 = TAYLOR
    powers_of_two = exponents.view(np.float32)
    sums[:] = 0
    for n in range(similarity.shape[0]):
        for i in range(similarity.shape[1]):
            x = similarity[n, i] - largest[i]
            x = x if x > LOWEST else LOWEST
            whole = np.rint(x)
            t = x - whole
            high = (c6 * t + c5) * t + c4
            similarity[n, i] = (((high * t + c3) * t + c2) * t + c1) * t + one
            exponents[i] = (np.int32(whole) + np.int32(127)) << np.int32(23)
        for i in range(similarity.shape[1]):
            similarity[n, i] *= powers_of_two[i]
            sums[i] += similarity[n, i]


@numba.njit(cache=True, error_model="numpy")
def _scale_rows(rows, factors, n):
    """Multiply the first n ``rows`` [BATCH, D] by one factor each."""
    for i in range(n):
        for d in range(rows.shape[1]):
            rows[i, d] *= factors[i]


@numba.njit(cache=True, error_model="numpy")
def _compare(unit, across, own, weights, in_base_2, similarity, rows, exponents, vweights):
    """Return the loss of a batch, turn ``unit`` into its gradient and add that of the weights.

    unit: [BATCH, D], zero from row len(own) on, and its transpose; own: int64, the clusters of its
    pixels; similarity: [N, BATCH] and rows: [2, BATCH], scratch space as ``exponents``.
    """
    loss, largest, sums = 0.0, rows[0], rows[1]
    np.dot(in_base_2, across, similarity)
    _largest(similarity, largest)
    for i in range(len(own)):
        loss += LN_2 * (largest[i] - similarity[own[i], i])
    _to_powers(similarity, largest, exponents, sums)
    for i in range(len(own)):
        loss += math.log(sums[i])
        similarity[own[i], i] -= sums[i]
        sums[i] = np.float32(1) / sums[i]
    _scale_rows(unit, sums, len(own))
    vweights += np.dot(similarity, unit)
    np.dot(similarity.T, weights, unit)
    _scale_rows(unit, sums, len(own))
    return loss


# nogil: a thread's first np.dot takes the lock to load BLAS, while this one waits for the threads.
@numba.njit(parallel=True, cache=True, error_model="numpy", nogil=True)
def cross_entropy(features, inverse, pixels, members, weights, vfeatures):
    """Return the sum of - log softmax(W u)[member] and its gradient of W, [N, D].

    weights: float32 [N, D], W; u: the unit features.  Their gradient goes to the pixels'
    rows of ``vfeatures`` [H W, D].
    """
    n_clusters, dim = weights.shape
    in_base_2 = weights * np.float32(1 / LN_2)
    batch = max(1, min(BATCH, (PRODUCT - 1) // (n_clusters * dim)))
    losses = np.zeros(SHARES)
    vweights = np.zeros((SHARES, n_clusters, dim), np.float32)
    for share in numba.prange(SHARES):
        unit, across = np.empty((batch, dim), np.float32), np.empty((dim, batch), np.float32)
        similarity = np.empty((n_clusters, batch), np.float32)
        rows, exponents = np.empty((2, batch), np.float32), np.empty(batch, np.int32)
        end = (share + 1) * len(pixels) // SHARES
        for start in range(share * len(pixels) // SHARES, end, batch):
            stop = min(end, start + batch)
            _unit_rows(features, inverse, pixels, start, stop, unit, across)
            losses[share] += _compare(
                unit,
                across,
                members[start:stop],
                weights,
                in_base_2,
                similarity,
                rows,
                exponents,
                vweights[share],
            )
            for p in range(start, stop):
                vfeatures[pixels[p]] = unit[p - start]
    return losses.sum(), vweights.sum(axis=0)


@numba.njit(cache=True, error_model="numpy", nogil=True)
def through_length(features, inverse, pixels, members, vsums, vfeatures):
    """Turn the gradient of unit features into that of features, in the rows of ``vfeatures``.

    vsums: [N, D], the gradient of the clusters' sums of unit features.
    """
    for p in range(len(pixels)):
        feature, v, vsum = features[pixels[p]], vfeatures[pixels[p]], vsums[members[p]]
        along = np.float32(0)
        for d in range(len(feature)):
            v[d] += vsum[d]
            along += v[d] * feature[d]
        along *= inverse[p] * inverse[p]
        for d in range(len(feature)):
            v[d] = (v[d] - along * feature[d]) * inverse[p]
