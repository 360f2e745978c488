"""The features of a scene under one recipe, from images to files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene, load_scene, load_semantics
from semsplat.features import clip, sam
from semsplat.features.cache import Cache
from semsplat.features.extract import Extractor
from semsplat.features.store import write_arrays, write_view
from semsplat.io import atomic_dir
from semsplat.log import progress
from semsplat.params.features import FeaturesRun
from semsplat.provenance import Card


def write_features(
    scene_dir: Path, out: Path, cache_dir: Path, config_json: str, device: str
) -> None:
    """Write the views, the text vectors, the manifest and run.json, the card last."""
    config = FeaturesRun.model_validate_json(config_json)
    inputs = {"scene": scene_dir / "manifest.json"}
    card = Card("features", "semsplat.features.extraction", config.model_dump(), inputs)
    scene, started = load_scene(scene_dir), time.monotonic()
    segmenter = sam.open_model(config.sam, device) if config.sam else None
    model, cache = clip.open_model(config.clip, device), Cache(cache_dir)
    extractor = Extractor(config, model, segmenter, cache)
    with atomic_dir(out) as partial:
        facts = _write_texts(partial, scene, extractor)
        counts = _write_views(partial, scene, extractor)
        write_manifest(partial, {**_facts(config), **facts, "layers": extractor.layers})
    seconds = time.monotonic() - started
    numbers = {"extract_s": round(seconds, 2), "n_views": len(counts), "device": device}
    numbers |= {"n_regions": sum(counts), "cache_made": cache.made, "cache_served": cache.served}
    card.write(out / "run.json", {"features": out / "manifest.json"}, **numbers)


def _facts(config: FeaturesRun) -> dict[str, Any]:
    """Return what identifies the features beside their content."""
    models = {"clip": config.clip.model_dump()}
    models |= {"sam": config.sam.model_dump()} if config.sam else {}
    place = {"dataset": config.dataset, "scene": config.scene, "recipe": config.name}
    recipe = {"config": config.recipe.model_dump(), "templates": config.templates}
    return {**place, "models": models, **recipe}


def _write_texts(out: Path, scene: Scene, extractor: Extractor) -> dict[str, Any]:
    """Write text.npz and return prompts and class ids for the manifest."""
    known = (scene.scene_dir / "semantics.json").is_file()
    classes = load_semantics(scene)["classes"] if known else []
    prompts = {
        "classes": [entry["name"] for entry in classes],
        "canonical": extractor.run.recipe.canonical,
    }
    templates = extractor.run.templates
    vectors = {
        kind: extractor.clip.encode_texts(texts, templates)
        for kind, texts in prompts.items()
        if texts
    }
    write_arrays(out / "text.npz", vectors)
    return {"prompts": prompts, "class_ids": [entry["id"] for entry in classes]}


def _write_views(out: Path, scene: Scene, extractor: Extractor) -> list[int]:
    """Write the features of all frames and return how many regions each has."""
    frames = sorted((*scene.train, *scene.test), key=lambda frame: frame.name)
    counts = []
    for frame in progress(frames, "features", total=len(frames)):
        view = extractor.view(frame)
        write_view(out / "views" / f"{frame.name}.npz", view)
        counts.append(len(view.scores))
    return counts
