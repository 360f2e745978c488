"""The features of a scene under one recipe, from images to files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, Scene, load_scene, load_semantics
from semsplat.errors import SemsplatError
from semsplat.features import clip, hub, sam
from semsplat.features.cache import Cache
from semsplat.features.extract import Extractor
from semsplat.features.segmenters import Prompts, follows_geometry, segmenter_kind
from semsplat.features.store import write_view
from semsplat.features.weights import find_weights
from semsplat.folders import atomic_dir
from semsplat.io import sha256_file
from semsplat.log import progress
from semsplat.params.features import FeaturesJob, Recipe
from semsplat.provenance import Card

if TYPE_CHECKING:
    from semsplat.features.dino import Dino


def write_features(
    scene_dir: Path,
    out: Path,
    cache_dir: Path,
    config_json: str,
    geometry_dir: Path | None,
    device: str,
) -> None:
    """Write the views, the text vectors, the manifest and run.json, the card last.

    Arguments as the command's.
    """
    config = FeaturesJob.model_validate_json(config_json)
    clip_weights = find_weights(config.clip)
    sam_weights = find_weights(config.sam) if config.sam else None
    found: dict[str, Any] = {
        "clip": clip_weights.spec,
        "sam": sam_weights.spec if sam_weights else None,
    }
    found |= {"recipe": hashed(config.recipe)}
    config = config.model_copy(update=found)  # with the hashes of these files
    inputs = {"scene": scene_dir / "manifest.json"}
    inputs |= {"geometry": geometry_dir / "point_cloud.ply"} if geometry_dir else {}
    segmenter_code = segmenter_kind(config.recipe.segmenter.kind).__name__
    modules = ("semsplat.features.extraction", segmenter_code)
    card = Card("features", modules, config.model_dump(), inputs)
    scene, started = load_scene(scene_dir), time.monotonic()
    model, cache = clip.open_model(clip_weights, device), Cache(cache_dir)
    segmenter = sam.open_model(sam_weights, device, cache) if sam_weights else None
    prompts = scene_prompts(config, scene, geometry_dir, device)
    dino = open_dino(config.recipe, device)
    extractor = Extractor(config, model, segmenter, cache, prompts, dino)
    with atomic_dir(out) as partial:
        facts = _write_texts(partial, scene, extractor)
        counts = _write_views(partial, scene, extractor)
        write_manifest(partial, {**_facts(config), **facts, "layers": extractor.layers})
        seconds = time.monotonic() - started
        numbers = {"extract_s": round(seconds, 2), "n_views": len(counts), "device": device}
        numbers |= {"n_regions": sum(counts)}
        numbers |= {"cache_made": cache.made, "cache_served": cache.served}
        numbers |= {"cache_saved_s": round(cache.saved_s, 2)}
        card.write(partial / "run.json", [partial / "manifest.json"], **numbers)


def hashed(recipe: Recipe) -> Recipe:
    """Return a recipe whose DINO, if it has one, is named by the hash of the file found.

    Raises:
        SemsplatError: the file is missing, or another one than params.yaml names.
    """
    if recipe.dino_maps is None:
        return recipe
    model = recipe.dino_maps.model
    known = model.model_copy(update={"sha256": sha256_file(hub.weights_path(model))})
    maps = recipe.dino_maps.model_copy(update={"model": known})
    return recipe.model_copy(update={"dino_maps": maps})


def open_dino(recipe: Recipe, device: str) -> Dino | None:
    """Return a recipe's DINO, None where it has none; raises what `hub.open_model` raises."""
    if recipe.dino_maps is None:
        return None
    from semsplat.features.dino import Dino  # transformers opens slowly

    return Dino(recipe.dino_maps, device)


def scene_prompts(
    config: FeaturesJob, scene: Scene, geometry_dir: Path | None, device: str
) -> Callable[[Frame], Prompts] | None:
    """Return what gives a frame its prompts, None where the segmenter follows no geometry.

    Raises:
        SemsplatError: it follows one, and none is given, or no seed.
    """
    if not follows_geometry(config.recipe.segmenter.kind):
        return None
    if geometry_dir is None or config.seed is None:
        lacks = "give --geometry" if geometry_dir is None else "name its seed in --config"
        raise SemsplatError(f"the prompts of recipe {config.name} follow depth; {lacks}")
    kind = segmenter_kind(config.recipe.segmenter.kind)
    options = kind.Options.model_validate(config.recipe.segmenter.options)
    return kind.open_prompts(options, config.seed, scene, geometry_dir, device)


def _facts(config: FeaturesJob) -> dict[str, Any]:
    """Return what identifies the features beside their content."""
    models = {"clip": config.clip.model_dump()}
    models |= {"sam": config.sam.model_dump()} if config.sam else {}
    dino = config.recipe.dino_maps
    models |= {"dino": dino.model.model_dump()} if dino else {}
    place = {"dataset": config.dataset, "scene": config.scene}
    recipe = {
        "recipe": config.name,
        "seed": config.seed,
        "config": config.recipe.model_dump(),
        "templates": config.templates,
    }
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
    for frame in progress(frames, "features"):
        view = extractor.view(frame)
        write_view(out / "views" / f"{frame.name}.npz", view)
        counts.append(len(view.scores))
    return counts
