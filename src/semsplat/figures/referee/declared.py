"""What is known of predictions that were made elsewhere: what their author's card says."""

from __future__ import annotations

from typing import Any

TIMES = {"preprocess_s": "preprocess_s", "geometry_s": "geometry_s", "language_s": "train_s"}
"""What `semsplat.figures.referee.trainings.costs` calls it, and what the card does."""


def author_of(card: Any) -> Any:
    """Return what the author of predictions says, None of a training of ours."""
    return card["config"].get("external")


def device_of(card: Any) -> str:
    """Return what a training ran on, the processor where it had no GPU."""
    author = author_of(card)
    if author is not None:
        return f"{author['device']} (as stated)"
    return str(card["machine"]["gpu"] or card["machine"]["cpu"])


def declared_costs(card: Any) -> dict[str, float | None]:
    """Return the costs of predictions as their author states them, None for what is not said."""
    said = card["numbers"]
    times: dict[str, float | None] = {ours: said.get(theirs) for ours, theirs in TIMES.items()}
    known = [seconds for seconds in times.values() if seconds is not None]
    return {
        **times,
        "total_s": sum(known) if len(known) == len(times) else None,
        "peak_ram_mb": None,
        "peak_gpu_mb": said.get("peak_gpu_mb"),
        "bytes_per_gaussian": None,
        "served": 0.0,
    }


def author_line(setting: str, cards: list[Any]) -> str:
    """Return who made the predictions of a setting, with what, where, and what it was told."""
    author = author_of(cards[0])
    queries = [c["numbers"]["query_ms"] for c in cards if "query_ms" in c["numbers"]]
    facts = [
        f"by {author['who']} with {author['repository']}, commit {author['commit'][:10]}",
        f"changes: {author['changes']}" if author["changes"] else "",
        f"on {author['device']}",
        "on our geometry" if author["geometry"] == "ours" else "on a geometry of its own",
        f"told: {', '.join(author['told'])}" if author["told"] else "",
        f"a prompt takes {sum(queries) / len(queries):.3g} ms" if queries else "",
    ]
    said = "; ".join(fact for fact in facts if fact)
    return f"`{setting}` is {author['method']}, predicted elsewhere {said}; costs as stated there."
