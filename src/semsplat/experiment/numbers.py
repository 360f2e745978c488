"""Numbers of ``params.yaml`` that no schema sees: those of the command line, and endless ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

LARGEST = 1e9
"""No parameter is as large; the largest that mean anything have limits of their own."""


WORDS = {"true": True, "false": False, "null": None}


def typed(config: Any, file: Any) -> Any:
    """Return ``config`` with the numbers of ``--config`` as numbers.

    Snakemake reads what stands inside braces there as text.  Text that the file has itself stays.

    Args:
        config: the file with what the command line said merged in.
        file: the parsed file.
    """
    if isinstance(config, dict):
        known = file if isinstance(file, dict) else {}
        return {key: typed(value, known.get(key)) for key, value in config.items()}
    if isinstance(config, list):
        known_items = file if isinstance(file, list) else []
        return [entry if entry in known_items else typed(entry, None) for entry in config]
    if not isinstance(config, str) or config == file:
        return config
    if config in WORDS:
        return WORDS[config]
    if config[:1] not in "+-.0123456789":
        return config
    for kind in (int, float):
        with suppress(ValueError):
            return kind(config)
    return config


def too_large(config: Any, where: str = "") -> Iterator[str]:
    """Yield a line for every finite number that is larger than any parameter."""
    if isinstance(config, dict):
        for key, value in config.items():
            yield from too_large(value, f"{where}.{key}" if where else str(key))
    elif isinstance(config, list):
        for place, value in enumerate(config):
            yield from too_large(value, f"{where}.{place}")
    elif isinstance(config, (int, float)) and LARGEST < abs(config) < float("inf"):
        yield f"{where}: {config:g} is no number below {LARGEST:g}; no parameter is as large"
