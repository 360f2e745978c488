"""``python -m semsplat.features extract|teach``: features of a scene's views, and lessons."""

from __future__ import annotations

from pathlib import Path

from semsplat.commands import OutFolder, run_one_of
from semsplat.gpu import claim_device


def extract(
    scene: Path, out: OutFolder, cache: Path, config: str, geometry: Path | None = None
) -> None:
    """Compute the features of a scene under one recipe.

    Args:
        scene: a canonical scene, data/{dataset}/{scene}; only its images and class names are read.
        out: the result folder, results/features/{dataset}/{scene}/{recipe}/{seed or all}.
        cache: where earlier computations are kept, and served from.
        config: the recipe with its models as JSON (see the command in any run.json).
        geometry: the geometry run whose rendered depth the prompts follow, where they do.
    """
    with claim_device() as device:
        from semsplat.features.extraction import write_features

        write_features(scene, out, cache, config, geometry, device)


def teach(
    scene: Path,
    out: OutFolder,
    config: str,
    features: Path | None = None,
    geometry: Path | None = None,
) -> None:
    """Write what methods learn from: labels, regions and tracks of a scene's views.

    Args:
        scene: a canonical scene; its truth is read where the teacher declares it, and only there.
        out: the result folder, results/lessons/{dataset}/{scene}/{teacher}/{seed}.
        config: the teacher as JSON (see the command in any run.json).
        features: the features of the teacher's recipe, where it has one.
        geometry: the geometry run whose rendered depth the tracks follow, where they do.
    """
    with claim_device() as device:
        from semsplat.features.teach import write_lessons

        write_lessons(scene, out, config, features, geometry, device)


def main() -> None:
    """Run one of the commands."""
    run_one_of({"extract": extract, "teach": teach})


if __name__ == "__main__":
    main()
