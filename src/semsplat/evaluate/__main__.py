"""``python -m semsplat.evaluate COMMAND``: predictions to disk, scores from disk."""

from __future__ import annotations

import json
from pathlib import Path

from semsplat.commands import OutFolder, run_one_of
from semsplat.evaluate.answers import Judged
from semsplat.gpu import claim_device
from semsplat.paths import FIELD_FILE


def predict(
    answers: list[str],
    scene: Path,
    model: Path,
    out: OutFolder,
    cache: Path,
    options: str = "{}",
    features: Path | None = None,
) -> None:
    """Ask a training, or a geometry, and write what it answers.

    Args:
        answers: what it is asked for, files in semsplat/evaluate/answers.
        scene: the canonical scene.
        model: the folder with point_cloud.ply, run.json and, of a training, semantics.safetensors.
        out: the predictions folder.
        cache: where vectors of prompts are kept, and served from.
        options: JSON, {answer: what it is told}.
        features: the features it learned from, for answers that read them.
    """
    with claim_device() as device:
        from semsplat.data.scene import load_scene
        from semsplat.evaluate import jobs
        from semsplat.evaluate.answers import Asked

        asked = Asked(load_scene(scene), model, features, cache, {}, device)
        jobs.predict(answers, asked, json.loads(options), out)


def import_external(
    scene: Path, source: Path, out: OutFolder, predictions: OutFolder, config: str
) -> None:
    """Check predictions that were made elsewhere and write them as our own.

    Args:
        scene: the canonical scene.
        source: the folder with card.yaml, and with {dataset}/{scene}/{seed} below it.
        out: the folder of the import's card, results/train/{dataset}/{scene}/{setting}/{seed}.
        predictions: the predictions folder.
        config: whose predictions they are and what they answer, as JSON.
    """
    from semsplat.evaluate.external.exchange import import_predictions
    from semsplat.params.external import ExternalJob

    job = ExternalJob.model_validate_json(config)
    import_predictions(job, scene, source, out, predictions)


def score(
    answers: list[str],
    scene: Path,
    predictions: Path,
    out: Path,
    options: str = "{}",
    lessons: Path | None = None,
) -> None:
    """Score predictions against the scene.

    Args:
        answers: what the predictions answer.
        scene: the canonical scene; its truth is read.
        predictions: the folder that `predict` wrote.
        out: scores.json, in results/evaluate/{dataset}/{scene}/{setting}/{seed}.
        options: JSON, {answer: what it is told}.
        lessons: what was taught, for answers that are compared with it.
    """
    from semsplat.data.scene import load_scene
    from semsplat.evaluate import jobs

    judged = Judged(load_scene(scene), predictions, lessons, {}, out)
    jobs.score(answers, judged, json.loads(options))


def cluster(scene: Path, model: Path, out: OutFolder, options: str, seed: int) -> None:
    """Group the Gaussians of a trained setting into instances.

    Args:
        scene: the canonical scene.
        model: the training's folder with point_cloud.ply, semantics.safetensors and run.json.
        out: the clusters folder.
        options: JSON, the section evaluate.clusters of params.yaml.
        seed: of the sample that is clustered.
    """
    with claim_device() as device:
        from semsplat.evaluate.clusters import write_clusters
        from semsplat.params.evaluate import Clusters

        write_clusters(scene, model, out, Clusters.model_validate_json(options), seed, device)


def score_features(scene: Path, features: Path, out: Path) -> None:
    """Score the labels that 2-D features give, against truth and from view to view.

    Args:
        scene: the canonical scene.
        features: the features of the scene under one recipe.
        out: scores.json; inconsistency.npz goes beside it.
    """
    from semsplat.evaluate import feature_scores

    feature_scores.score_features(scene, features, out)


def speed(
    runs: list[str] | None = None,
    out: Path = Path("results/benchmarks/speed.json"),
    repeats: int = 30,
) -> None:
    """Measure how fast trained settings draw class maps, answer or select, and write JSON.

    Args:
        runs: dataset/scene/setting/seed of trainings; all in results/train if this is not given.
        out: the JSON file.
        repeats: timed frames; the median counts.
    """
    with claim_device() as device:
        from semsplat.evaluate.speed import benchmark, report_lines
        from semsplat.io import write_json

        paths = sorted(Path("results/train").glob(f"*/*/*/*/{FIELD_FILE}"))
        found = ["/".join(p.parts[2:-1]) for p in paths]
        report = benchmark(found if runs is None else runs, repeats, device)
    write_json(out, report)
    print("\n".join([*report_lines(report), f"written to {out}"]))


def collect(scores: list[Path], out: Path) -> None:
    """Gather the scores of a suite.

    Args:
        scores: the scores.json files.
        out: results/metrics.json.
    """
    from semsplat.evaluate import jobs

    jobs.collect(scores, out)


def main() -> None:
    """Run one of the commands."""
    commands = (predict, import_external, score, cluster, score_features, speed, collect)
    run_one_of({c.__name__.replace("_", "-"): c for c in commands})


if __name__ == "__main__":
    main()
