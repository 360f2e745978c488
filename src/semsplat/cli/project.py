"""Verbs about the experiment: its parameters, what it takes, where its numbers come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import tyro
import yaml

from semsplat.commands import Repeated
from semsplat.errors import SemsplatError
from semsplat.experiment.check import check as check_params
from semsplat.experiment.check import plugins_named
from semsplat.experiment.elsewhere import declared_keys, mistakes_in, unknown_scenes
from semsplat.experiment.mistakes import dangling
from semsplat.experiment.plan.screen import plan_lines
from semsplat.experiment.redraw import redrawn
from semsplat.experiment.runs import geometry_keys, training_keys
from semsplat.experiment.schema import Params
from semsplat.figures.referee.trace import Traced
from semsplat.io import parse_yaml, read_lines
from semsplat.keys import parse_training
from semsplat.plugins import use_plugins, with_entries


def check(params: Path = Path("params.yaml"), /, plugins: Repeated = ()) -> None:
    """Check a parameter file and list the runs and trainings of its suite.

    Args:
        params: the file to check.
        plugins: folders of your own methods, beside those that the file names.
    """
    checked = _checked(params, {}, plugins)
    for run in geometry_keys(checked):
        print(f"{run.dataset}/{run.scene} seed {run.seed}")
    for training in training_keys(checked):
        print(f"{training.dataset}/{training.scene} seed {training.seed} {training.setting}")


def plan(suite: str, /, params: Path = Path("params.yaml"), plugins: Repeated = ()) -> None:
    """Say what a suite on real data takes, and what of it is missing here.

    Args:
        suite: its name.
        params: the parameter file.
        plugins: folders of your own methods, beside those that the file names.
    """
    lines = plan_lines(_checked(params, {"suite": suite}, plugins))
    print("\n".join(lines or [f"suite {suite} needs neither data nor weights from elsewhere"]))


def _checked(params: Path, override: dict[str, Any], plugins: Repeated = ()) -> Any:
    """Return the checked parameters of a file, with the entries of plugins."""
    text = "\n".join(read_lines(params, "name a file of parameters"))
    try:
        config = parse_yaml(text)
    except yaml.YAMLError as error:
        raise SemsplatError(
            f"{params}: not valid YAML ({str(error).splitlines()[-1].strip()})"
        ) from None
    if not isinstance(config, dict):
        raise SemsplatError(f"{params}: has no keys; name a file as params.yaml is")
    use_plugins([*plugins_named(config), *(folder for folders in plugins for folder in folders)])
    return check_params(with_entries({**config, **override}))


def trace(address: str, /, params: Path = Path("params.yaml")) -> None:
    """Follow a number of a table back to code, parameters and data.

    Each file on the way is compared with its recorded digest, and the table with one drawn anew.

    Args:
        address: FIGURE.md:ROW:COLUMN, with the names of rows and columns in the CSV beside the
            table; of claims and costs FIGURE.md:ROW.
        params: the parameter file.
    """
    traced = Traced(address)
    print("\n".join(traced.lines))
    breaks = [
        *traced.breaks,
        *redrawn(traced.table, _checked(params, {"suite": traced.table.parent.name})),
    ]
    if breaks:
        raise SemsplatError("the chain is broken: " + "; ".join(dict.fromkeys(breaks)))


def external(
    what: Literal["check", "export"],
    names: tyro.conf.Positional[tuple[str, ...]] = (),
    /,
    params: Path = Path("params.yaml"),
    to: Path | None = None,
) -> None:
    """Check predictions that were made elsewhere, or write ours in the same layout.

    Args:
        what: check says what is missing or wrong, in one line each; export is the way back.
        names: of check, entries of the section external, or none for all of them; of export,
            dataset/scene/setting/seed of trainings of one setting.
        params: the parameter file.
        to: the folder that export adds the runs to, with the card.
    """
    if (what == "export") != (bool(names) and to is not None):
        raise SemsplatError("export needs trainings and --to; check takes entries alone")
    if what == "check":
        _check_external(_checked(params, {}), names)
        return
    from semsplat.evaluate.external.exchange import export_predictions

    assert to is not None
    for training in map(parse_training, names):
        print(f"{training}: written to {export_predictions(training, to)}")


def _check_external(checked: Params, names: tuple[str, ...]) -> None:
    """Print what is missing or wrong in predictions that were made elsewhere."""
    if lines := dangling(("external",), names, checked.external):
        raise SemsplatError("\n".join(lines))
    declared = declared_keys(checked, names or checked.external)
    for place in unknown_scenes(declared):
        print(f"{place}: not imported, so its views are not compared; first: snakemake data")
    if lines := mistakes_in(checked, declared, opened=True):
        raise SemsplatError("\n".join(lines))
    print(f"{len(declared)} runs: nothing is missing, nothing is wrong")
