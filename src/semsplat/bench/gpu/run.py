"""All steps one after the other, and what they said."""

from __future__ import annotations

import math
import sys
import time
import traceback
from importlib import import_module
from typing import Any

from semsplat.bench.gpu.steps import STEPS, Bench, Said
from semsplat.errors import UNREADABLE, SemsplatError, did_you_mean, one_line
from semsplat.provenance import measured_on

PASSED, FAILED, SKIPPED = "passed", "failed", "not judged"


def chosen(only: list[str] | None) -> list[str]:
    """Return the steps that are asked for, in their order; all if none is named."""
    for name in only or []:
        if name not in STEPS:
            known = did_you_mean(name, list(STEPS)) or "; known: " + ", ".join(STEPS)
            raise SemsplatError(f"--only: no step '{name}'{known}")
    return [name for name in STEPS if not only or name in only]


def benchmark(bench: Bench, names: list[str]) -> dict[str, Any]:
    """Return verdict, numbers and seconds of the steps, and where they were taken."""
    started = time.monotonic()
    steps = {name: _asked(bench, name) for name in names}
    failed = [name for name, said in steps.items() if said["verdict"] == FAILED]
    return {
        **measured_on(bench.device),
        "size": bench.size._asdict(),
        "seconds": round(time.monotonic() - started, 1),
        "failed": failed,
        "steps": steps,
    }


def _asked(bench: Bench, name: str) -> dict[str, Any]:
    """Return what a step says, and print a line of it."""
    start = time.monotonic()
    said = _say(bench, name)
    bench.found[name] = said.numbers
    seconds = round(time.monotonic() - start, 2)
    verdict = FAILED if said.wrong else SKIPPED if said.skipped else PASSED
    why = "; ".join(said.wrong) or said.skipped or ""
    print(f"{verdict:<11}{name:<12}{seconds:8.1f} s{'  ' if why else ''}{why}", flush=True)
    row = {"verdict": verdict, "seconds": seconds, "numbers": _plain(said.numbers)}
    return row | ({"wrong": said.wrong} if said.wrong else {"why": why} if why else {})


def _plain(value: Any) -> Any:
    """Return numbers as JSON has them: what is not finite, and is to be told, as a word."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _say(bench: Bench, name: str) -> Said:
    """Ask a step; one that breaks off has failed, and those after it are asked all the same."""
    try:
        said: Said = import_module(f"semsplat.bench.gpu.{name}").check(bench)
    except (SemsplatError, *UNREADABLE) as error:
        traceback.print_exc(file=sys.stderr)
        return Said({}, [f"{type(error).__name__}: {one_line(error)}"])
    return said
