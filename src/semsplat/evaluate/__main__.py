"""``python -m semsplat.evaluate COMMAND``: predictions to disk, scores from disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tyro

from semsplat.errors import one_line_errors
from semsplat.gpu import claim_device


def render(scene: Path, model: Path, out: Path) -> None:
    """Render the held-out views of a geometry run.

    Args:
        scene: the canonical scene.
        model: the run's folder with point_cloud.ply and run.json.
        out: the predictions folder.
    """
    with claim_device() as device:
        from semsplat.evaluate.predict import predict_views

        predict_views(scene, model, out, device)


def render_classes(scene: Path, model: Path, out: Path) -> None:
    """Render the views of a trained setting, with class maps.

    Args:
        scene: the canonical scene.
        model: the training's folder with point_cloud.ply, semantics.safetensors and run.json.
        out: the predictions folder.
    """
    with claim_device() as device:
        from semsplat.evaluate.predict_classes import predict_classes

        predict_classes(scene, model, out, device)


def render_queries(scene: Path, model: Path, features: Path, cache: Path, out: Path) -> None:
    """Ask a trained setting for the prompts of a scene's annotated views.

    Args:
        scene: the canonical scene.
        model: the training's folder with point_cloud.ply, semantics.safetensors and run.json.
        features: the features it learned from, which name the CLIP model.
        cache: where vectors of prompts are kept, and served from.
        out: the predictions folder.
    """
    with claim_device() as device:
        from semsplat.evaluate.predict_queries import predict_queries

        predict_queries(scene, model, features, cache, out, device)


def render_selections(
    scene: Path, model: Path, features: Path, cache: Path, out: Path, config: str
) -> None:
    """Click on what prompts ask for and write what a trained setting selects.

    Args:
        scene: the canonical scene.
        model: the training's folder with point_cloud.ply, semantics.safetensors and run.json.
        features: the features it learned from, whose regions and CLIP model find texts.
        cache: where vectors of prompts are kept, and served from.
        out: the predictions folder.
        config: who is asked, and a person's clicks, as JSON (the rule's parameters).
    """
    with claim_device() as device:
        from semsplat.evaluate.predict_selections import predict_selections
        from semsplat.params.evaluate import SelectionsRun

        run = SelectionsRun.model_validate_json(config)
        predict_selections(scene, model, features, cache, out, run, device)


def cluster(scene: Path, model: Path, out: Path, options: str, seed: int) -> None:
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


def score(scene: Path, predictions: Path, out: Path, lpips_net: str) -> None:
    """Score predictions against the held-out views.

    Args:
        scene: the canonical scene.
        predictions: the folder that `render` wrote.
        out: scores.json, in results/evaluate/{dataset}/{scene}/{setting}/{seed}.
        lpips_net: alex or vgg.
    """
    from semsplat.evaluate.score import score_rgb

    score_rgb(scene, predictions, out, lpips_net)


def score_setting(scene: Path, predictions: Path, lessons: Path, out: Path, lpips_net: str) -> None:
    """Score colours and class maps of a trained setting, and what it was taught.

    Args:
        scene: the canonical scene.
        predictions: the folder that `render_classes` wrote.
        lessons: what it learned from.
        out: scores.json, in results/evaluate/{dataset}/{scene}/{setting}/{seed};
            inconsistency.npz goes beside it.
        lpips_net: alex or vgg.
    """
    from semsplat.evaluate.score_setting import score_setting as score_classes

    score_classes(scene, predictions, lessons, out, lpips_net)


def score_features(scene: Path, features: Path, out: Path) -> None:
    """Score the labels that 2-D features give, against truth and from view to view.

    Args:
        scene: the canonical scene.
        features: the features of the scene under one recipe.
        out: scores.json, in results/evaluate/{dataset}/{scene}/features/{recipe};
            inconsistency.npz goes beside it.
    """
    from semsplat.evaluate.score_features import score_features as score_labels_and_pairs

    score_labels_and_pairs(scene, features, out)


def score_queries(scene: Path, predictions: Path, out: Path) -> None:
    """Score open-vocabulary search: relevancy maps against the annotated views.

    Args:
        scene: the canonical scene.
        predictions: the folder of a setting's predictions, with relevancy/.
        out: scores.json, in results/evaluate/{dataset}/{scene}/{setting}/{seed}.
    """
    from semsplat.evaluate.score_queries import score_queries as score_prompts

    score_prompts(scene, predictions, out)


def score_selections(scene: Path, predictions: Path, out: Path) -> None:
    """Score objects selected by a click: masks against the annotated held-out views.

    Args:
        scene: the canonical scene.
        predictions: the folder of a setting's predictions, with selections/ and grounding.json.
        out: scores.json, in results/evaluate/{dataset}/{scene}/{setting}/{seed}.
    """
    from semsplat.evaluate.score_selections import score_selections as score_masks

    score_masks(scene, predictions, out)


def collect(scores: list[Path], out: Path) -> None:
    """Gather the scores of a suite.

    Args:
        scores: the scores.json files.
        out: results/metrics.json.
    """
    from semsplat.evaluate.score import collect as collect_scores

    collect_scores(scores, out)


def main() -> None:
    """Run one of the commands."""
    commands: dict[str, Callable[..., None]] = {
        "render": render,
        "render-classes": render_classes,
        "render-queries": render_queries,
        "render-selections": render_selections,
        "cluster": cluster,
        "score": score,
        "score-setting": score_setting,
        "score-features": score_features,
        "score-queries": score_queries,
        "score-selections": score_selections,
        "collect": collect,
    }
    with one_line_errors():
        tyro.extras.subcommand_cli_from_dict(commands)


if __name__ == "__main__":
    main()
