"""The plan of a suite as text: one screen."""

from __future__ import annotations

import sys
from collections import Counter
from urllib.parse import urlsplit

from semsplat.data.register.entries import Entry, entry_named, place_of
from semsplat.experiment.plan.needs import Missing, missing, missing_lpips, needs
from semsplat.experiment.plan.work import load_estimates, phases
from semsplat.experiment.runs import external_keys, geometry_keys, own_keys
from semsplat.experiment.schema import Params


def plan_lines(params: Params) -> list[str]:
    """Return what the chosen suite takes and what it lacks; nothing where it needs no files."""
    if not needs(params):
        return []
    return [*_work_lines(params), *missing_lines(params)]


def show_plan(params: Params, dry: bool) -> None:
    """Print the plan to stderr; exit with status 1 if a real run needs what a person has to get."""
    lines = plan_lines(params)
    if not lines:
        return
    stop = not dry and any(entry.by_hand for entry in missing(params))
    if stop:
        lines += [
            "nothing was run: get what is missing, or name the scenes that you have, for example",
            f"  snakemake --cores all --config suite={params.suite}"
            f" 'suites={{{params.suite}: {{scenes: [lerf_mask/ramen]}}}}'",
        ]
    print("\n".join(lines), file=sys.stderr)
    if stop:
        sys.exit(1)


def missing_lines(params: Params) -> list[str]:
    """Return a line for each thing that is missing, under a head that says how it comes."""
    lacking, lines = missing(params), []
    for entries, head in (
        ([e for e in lacking if not e.by_hand], "fetched and unpacked when the suite runs:"),
        ([e for e in lacking if e.by_hand], "yours to get; `semsplat data status` says how:"),
        (missing_lpips(params), "`semsplat data fetch NAME`, or LPIPS is not scored:"),
    ):
        rows = _table(list(map(_missing_row, entries)))
        lines += [f"missing, {head}", *rows] if entries else []
    return lines


def _work_lines(params: Params) -> list[str]:
    """Return jobs, GPU hours and disk by phase, and where the estimates are from."""
    known, untimed = phases(params), load_estimates().untimed(params)
    rows = [["phase", "jobs", "GPU hours", "disk GB"]]
    rows += [[p.name, str(p.jobs), f"{p.gpu_hours:.0f}", f"{p.disk_gb:.0f}"] for p in known]
    hours, disk = sum(p.gpu_hours for p in known), sum(p.disk_gb for p in known)
    rows += [["together", "", f"{hours:.0f}", f"{disk:.0f}"]]
    places = len({(run.dataset, run.scene) for run in geometry_keys(params)})
    return [
        f"suite {params.suite}: {places} scenes, {len(geometry_keys(params))} geometries,"
        f" {len(own_keys(params))} trainings; hours and disk are estimates:",
        *_table(rows),
        *(f"  {phase.name}: {phase.basis}" for phase in known),
        *_external_lines(params),
        *(f"  {m}: timed by nobody, so it counts as the slowest method" for m in untimed),
    ]


def _external_lines(params: Params) -> list[str]:
    """Return a line for each method whose predictions come from elsewhere."""
    counts = Counter(run.setting for run in external_keys(params))
    told = "made elsewhere: they are copied and scored, nothing is trained"
    return [f"  {name}: predictions of {n} runs, {told}" for name, n in counts.items()]


def _missing_row(entry: Missing) -> list[str]:
    """Return name, size, source and place of what is missing."""
    known = entry_named(entry.name)
    size = "size unknown" if known.size_bytes is None else f"{known.size_bytes / 1e6:,.0f} MB"
    return [entry.name, size, _source(known), f"-> {_where(entry)}"]


def _source(entry: Entry) -> str:
    if entry.urls:
        return str(urlsplit(entry.urls[0]).hostname)
    return (entry.link or "") + (" (terms)" if entry.terms else "")


def _where(entry: Missing) -> str:
    """Return where it is put: the whole, or what is missing of a folder that is there."""
    place, first = place_of(entry_named(entry.name)), entry.places[0]
    return str(first) if place.exists() else str(place)


def _table(rows: list[list[str]]) -> list[str]:
    """Return rows with their columns aligned, two spaces before and between them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
