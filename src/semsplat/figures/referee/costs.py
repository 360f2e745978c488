"""What a training cost, preprocessing included, summed over everything that it was made from."""

from __future__ import annotations

from pathlib import Path

from semsplat.figures.referee.chain import Link, chain

PHASES = {
    "features": "preprocess_s",
    "lessons": "preprocess_s",
    "geometry": "geometry_s",
    "train": "language_s",
}
"""Kind of result: what GAGS's Table 3 would call the time it took."""


def costs(folder: Path) -> dict[str, float | None]:
    """Return the costs of one training.

    Seconds of wall time from start to end of each process without its imports: ``preprocess_s``
    (masks, vectors, labels, tracks), ``geometry_s`` (a finished geometry, where anything reads
    one), ``language_s`` (the training; of a joint one with its geometry) and ``total_s``; the
    largest ``peak_ram_mb`` and ``peak_gpu_mb`` (None without a GPU) of them all;
    ``bytes_per_gaussian`` of semantics; ``served``, the number of intermediate results that came
    from the cache and cost nothing.
    """
    links = chain(folder)
    seconds = dict.fromkeys(PHASES.values(), 0.0)
    for link in links:
        seconds[PHASES[link.kind]] += link.card["wall_s"]
    numbers = links[0].card["numbers"]
    return {
        **seconds,
        "total_s": sum(seconds.values()),
        "peak_ram_mb": _largest(links, "peak_ram_mb"),
        "peak_gpu_mb": _largest(links, "peak_gpu_mb"),
        "bytes_per_gaussian": 1e6 * numbers["semantic_mb"] / numbers["n_gaussians"],
        "served": float(sum(link.card["numbers"].get("cache_served", 0) for link in links)),
    }


def _largest(links: list[Link], name: str) -> float | None:
    """Return the largest of a number that some cards have."""
    values = [link.card["numbers"].get(name) for link in links]
    return max((value for value in values if value is not None), default=None)
