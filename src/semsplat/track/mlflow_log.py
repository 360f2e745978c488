"""Copy one finished run into MLflow; a second time changes nothing."""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import mlflow
from alembic.util import CommandError as AlembicError
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from semsplat.io import read_json, read_json_lines
from semsplat.track.index import FOLDER, tracking_uri
from semsplat.verified import verified

EXPERIMENT = "semsplat"
FAILURES = (MlflowException, SQLAlchemyError, AlembicError, sqlite3.Error, OSError)
"""What a dead server, a damaged database and a full disk make of a call; requests' are OSErrors."""
BATCH = 100  # MLflow's limit for parameters; far below its limit for metrics


@dataclass(frozen=True)
class Finished:
    """The files of one finished run."""

    card: Path
    curve: Path | None  # predictions that were made elsewhere have none
    scores: Path
    scene: Path


def log_finished(finished: Finished) -> str:
    """Log the run unless its key is there already; return the MLflow run id.

    Same key, same run: only scores that changed are logged again.  A new key for the same data
    set, scene, setting and seed makes a new run, and the old one stays as history.  The run that
    was logged last is the current one, also when an older state was checked out.
    """
    client = MlflowClient(tracking_uri())
    mlflow.set_tracking_uri(tracking_uri())
    experiment = _experiment(client)
    scores = read_json(finished.scores)
    parent = _parent(client, experiment, scores["setting"])
    run = _complete_run(client, experiment, read_json(finished.card)["run_key"])
    if run is None:
        run = _log_new(client, experiment, parent, finished)
    _make_current(client, experiment, run, scores)
    _log_changed_scores(client, run, finished)
    _log_parent_means(client, experiment, parent)
    return run.info.run_id


def _experiment(client: MlflowClient) -> str:
    """Return the id of the experiment; artifacts go below ``mlruns/``."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment:
        return experiment.experiment_id
    location = (
        None if tracking_uri().startswith("http") else (FOLDER / EXPERIMENT).absolute().as_uri()
    )
    return client.create_experiment(EXPERIMENT, artifact_location=location)


def _search(client: MlflowClient, experiment: str, **tags: str) -> list[Run]:
    query = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
    return list(client.search_runs([experiment], query))


def _parent(client: MlflowClient, experiment: str, setting: str) -> str:
    """Return the id of the run under which all runs of a setting fold."""
    parents = _search(client, experiment, parent_of=setting)
    if parents:
        return parents[0].info.run_id
    run = client.create_run(experiment, tags={"parent_of": setting}, run_name=setting)
    client.set_terminated(run.info.run_id)
    return run.info.run_id


def _complete_run(client: MlflowClient, experiment: str, key: str) -> Run | None:
    """Return the run of this key; one that a kill left half logged is deleted."""
    for run in _search(client, experiment, run_key=key):
        if run.data.tags.get("complete") == "true":
            return run
        client.delete_run(run.info.run_id)
    return None


def _log_new(client: MlflowClient, experiment: str, parent: str, finished: Finished) -> Run:
    """Create the run with parameters, tags, curves, data set and artifacts."""
    card, place = read_json(finished.card), _place(read_json(finished.scores))
    name = "{setting}/{dataset}/{scene}/{seed}".format(**place)
    tags = {**place, **_tags(card), "mlflow.parentRunId": parent}
    started = int(datetime.fromisoformat(card["started"]).timestamp() * 1000)
    numbers = card["numbers"]
    own_s = numbers.get("train_s", 0) - numbers.get("recorded_s", 0)
    ended = started + int(1000 * own_s)
    run = client.create_run(experiment, start_time=started, tags=tags, run_name=name)
    run_id = run.info.run_id
    params = [Param(k, v) for k, v in _flat(card["config"])]
    for block in _blocks(params):
        client.log_batch(run_id, params=block)
    curve = list(_curve(finished.curve, started)) if finished.curve else []
    for metrics in _blocks(curve):
        client.log_batch(run_id, metrics=metrics)
    system = {f"system/{k}": v for k, v in numbers.items() if isinstance(v, int | float)}
    client.log_batch(run_id, metrics=[Metric(k, v, ended, 0) for k, v in system.items()])
    _log_dataset(run_id, finished.scene)
    client.log_artifact(run_id, str(finished.card))
    client.log_batch(run_id, tags=[RunTag("complete", "true")])
    client.set_terminated(run_id, end_time=ended)
    return client.get_run(run_id)


def _place(scores: dict[str, Any]) -> dict[str, str]:
    """Return the tags that runs of the same data set, scene, setting and seed share."""
    return {key: str(scores[key]) for key in ("dataset", "scene", "setting", "seed")}


def _make_current(client: MlflowClient, experiment: str, run: Run, scores: dict[str, Any]) -> None:
    """Mark the run as the one whose files are there; the others in its place are history."""
    for other in _search(client, experiment, **_place(scores)):
        current = "true" if other.info.run_id == run.info.run_id else "false"
        if other.data.tags.get("current") != current:
            client.set_tag(other.info.run_id, "current", current)


def _tags(card: dict[str, Any]) -> dict[str, str]:
    """Return what identifies code and machine."""
    machine = card["machine"]
    packages = {f"version.{k}": v for k, v in machine["packages"].items()}
    facts = {
        "run_key": card["run_key"],
        "code": card["code"],
        "git_commit": card["git"]["commit"],
        "git_dirty": card["git"]["dirty"],
        "host": machine["host"],
        "gpu": machine["gpu"],
        **packages,
    }
    return {key: str(value) for key, value in facts.items()}


def _flat(config: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield ("geometry.lr.means", "0.00016") for every leaf."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def _curve(path: Path, started_ms: int) -> Iterator[Metric]:
    """Yield the training curves, each point at the time it was logged."""
    for line in read_json_lines(verified(path)):
        step, seconds = line.pop("step"), line.pop("seconds")
        for key, value in line.items():
            yield Metric(f"train/{key}", value, started_ms + int(1000 * seconds), step)


def _blocks(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _log_dataset(run_id: str, manifest_path: Path) -> None:
    """Log the scene as the run's data set, identified by its manifest's digest."""
    manifest = read_json(manifest_path)
    name = f"{manifest['dataset']}/{manifest['scene']}"
    source = resolve_dataset_source(str(manifest_path.parent))
    dataset = MetaDataset(source, name=name, digest=manifest["digest"][:32])
    with mlflow.start_run(run_id=run_id):
        mlflow.log_input(dataset, context="training")


def _log_changed_scores(client: MlflowClient, run: Run, finished: Finished) -> None:
    """Log scores that the run does not show yet, with the file they come from."""
    scores, run_id = read_json(finished.scores), run.info.run_id
    values = {f"eval/{metric}": value for metric, value in scores["metrics"].items()}
    if _log_changed(client, run, values) or run.data.tags.get("protocol") != scores["protocol"]:
        client.log_artifact(run_id, str(finished.scores))
        client.set_tag(run_id, "protocol", scores["protocol"])


def _log_changed(client: MlflowClient, run: Run, values: dict[str, float]) -> bool:
    """Log metrics whose latest value differs, and tell whether there were any."""
    now = int(1000 * time.time())
    changed = [Metric(k, v, now, 0) for k, v in values.items() if run.data.metrics.get(k) != v]
    for block in _blocks(changed):
        client.log_batch(run.info.run_id, metrics=block)
    return bool(changed)


def _log_parent_means(client: MlflowClient, experiment: str, parent: str) -> None:
    """Give the parent the means of its current children's scores."""
    query = f"tags.`mlflow.parentRunId` = '{parent}' and tags.current = 'true'"
    values: dict[str, list[float]] = defaultdict(list)
    for child in client.search_runs([experiment], query):
        for metric, value in child.data.metrics.items():
            if metric.startswith("eval/"):
                values[metric].append(value)
    means = {metric: fmean(several) for metric, several in values.items()}
    _log_changed(client, client.get_run(parent), means)
