"""Which Gaussians a ray counts: the largest weights of blending, up to a share of their sum.

A pixel's weights are those of `blend`, to the last bit.  Sorted, the largest come first; the gate
is the weight with which their sum reaches the share, and weights below it do not count.  Equal
weights at the gate all do.
"""

from __future__ import annotations

import numba
import numpy as np

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.blend import _all_ended, _start, _weigh
from semsplat.splat.cpu.blend_adjoint import SHAPE, _channel_gradients
from semsplat.splat.cpu.row import choose, load, spread, store
from semsplat.splat.cpu.tile import gather, tile_box

BATCH = 16  # Gaussians whose weights the channels sum at once


@numba.njit(cache=True, error_model="numpy")
def gate_of(weights, share):
    """Return the gate of one ray: the least of the largest weights that reach a share of the sum.

    Few are enough, so that the largest is looked for again and again where a sort would order all.

    Args:
        weights: [n], positive, in any order; they are used up.  0 where there are none.
        share: in (0, 1].
    """
    enough, reached, gate = 0.0, 0.0, weights.dtype.type(0)
    for weight in weights:
        enough += share * weight
    for _ in range(len(weights)):
        largest = 0
        for i in range(1, len(weights)):
            if weights[i] > weights[largest]:
                largest = i
        gate = weights[largest]
        reached += gate
        if reached >= enough:
            break
        weights[largest] = 0
    return gate


@numba.njit(cache=True, error_model="numpy")
def _weigh_batch(table, ids, number, box, state, splats, weights):
    """Fill the weights [BATCH TILE, TILE] of some splats, of which the first is ``number``-th."""
    gather(table, ids, splats)
    for m in range(len(ids)):
        _weigh(splats, m, number + m, box, state, weights)


@numba.njit(cache=True, error_model="numpy")
def _gate_tile(tile, table, bins, share, gates):
    """Fill the gates of one tile's pixels."""
    box, dtype = tile_box(tile, gates.shape[1], gates.shape[0]), gates.dtype
    first, past = bins.offsets[tile], bins.offsets[tile + 1]
    state, splats = np.empty((3 * TILE, TILE), dtype), np.empty((BATCH, TILE), dtype)
    weights = np.empty((BATCH * TILE, TILE), dtype)
    rays = np.empty((TILE * TILE, past - first), dtype)
    counts = np.zeros(TILE * TILE, np.int64)
    _start(box, state)
    for start in range(first, past, BATCH):
        if _all_ended(state):
            break
        ids = bins.ids[start : min(start + BATCH, past)]
        _weigh_batch(table, ids, start - first, box, state, splats, weights)
        for row in range(len(ids) * TILE):
            for j in range(TILE):
                if weights[row, j] > 0:
                    ray = (row % TILE) * TILE + j
                    rays[ray, counts[ray]] = weights[row, j]
                    counts[ray] += 1
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            ray = (y - box[2]) * TILE + x - box[0]
            gates[y, x] = gate_of(rays[ray, : counts[ray]], share)


@numba.njit(parallel=True, cache=True)
def ray_gates(table, bins, width, height, share):
    """Return every pixel's gate, [H, W]; 0 where nothing is drawn.

    Args:
        table: [N, 8], see `semsplat.splat.cpu.tile.splat_table`.
        bins: `semsplat.splat.cpu.tile.Bins`.
        width, height: of the image in pixels.
        share: of the sum of a pixel's weights, in (0, 1].
    """
    gates = np.empty((height, width), table.dtype)
    for tile in numba.prange(bins.offsets.shape[0] - 1):
        _gate_tile(np.int64(tile), table, bins, share, gates)
    return gates


@numba.njit(cache=True, error_model="numpy")
def _close(weights, n, gates):
    """Set the weights of n splats to 0 where they are below the pixels' ``gates`` [TILE, TILE]."""
    nothing = spread(weights.dtype.type(0))
    for row in range(n * TILE):
        weight = load(weights, row)
        store(weights, row, choose(weight >= load(gates, row % TILE), weight, nothing))


@numba.njit(cache=True, error_model="numpy")
def _gated_tile(tile, table, bins, gates, picture, sums):
    """Fill the rows of ``sums`` [P, SHAPE + E] that belong to one tile."""
    box, dtype = tile_box(tile, gates.shape[1], gates.shape[0]), picture.dtype
    first, past = bins.offsets[tile], bins.offsets[tile + 1]
    state, splats = np.empty((3 * TILE, TILE), dtype), np.empty((BATCH, TILE), dtype)
    weights, own = np.empty((BATCH * TILE, TILE), dtype), np.zeros((TILE, TILE), dtype)
    channels = np.zeros((picture.shape[2] * TILE, TILE), dtype)
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            own[y - box[2], x - box[0]] = gates[y, x]
            for c in range(picture.shape[2]):
                channels[c * TILE + y - box[2], x - box[0]] = picture[y, x, c]
    _start(box, state)
    for start in range(first, past, BATCH):
        if _all_ended(state):
            break
        stop = min(start + BATCH, past)
        _weigh_batch(table, bins.ids[start:stop], start - first, box, state, splats, weights)
        _close(weights, stop - start, own)
        _channel_gradients(weights, channels, sums[start:stop])


@numba.njit(parallel=True, cache=True)
def gated_sums(table, bins, gates, picture):
    """Return sum_p w_gp f_p over the pixels whose gate w_gp reaches, of every pair: [P, E].

    Args:
        table, bins: as `ray_gates` takes them.
        gates: [H, W].
        picture: f, [H, W, E].
    """
    sums = np.zeros((bins.ids.shape[0], SHAPE + picture.shape[2]), picture.dtype)
    for tile in numba.prange(bins.offsets.shape[0] - 1):
        _gated_tile(np.int64(tile), table, bins, gates, picture, sums)
    return sums[:, SHAPE:]
