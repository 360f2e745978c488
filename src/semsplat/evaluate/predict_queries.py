"""Ask a trained field for what the annotations of its scene name, and write relevancy maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from semsplat.data.annotations import load_annotations
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, load_scene
from semsplat.evaluate.predict import model_facts
from semsplat.evaluate.relevancy import relevancy
from semsplat.features.cache import Cache
from semsplat.features.queries import Texts
from semsplat.features.store import open_features, write_arrays
from semsplat.io import atomic_dir, sha256_file
from semsplat.log import progress
from semsplat.paths import RELEVANCY
from semsplat.train.methods import Vectors, method
from semsplat.train.model import FILE, SemanticField, open_field


def predict_queries(
    scene_dir: Path, model_dir: Path, features_dir: Path, cache: Path, out_dir: Path, device: str
) -> None:
    """Write ``relevancy/{frame}.npz`` for every annotated view, held out or not.

    ``prompts``: the view's own categories, P strings; of its annotations nothing else is read.
    ``relevancy`` [P, L, H, W] float16 in (0, 1), a map per level.  ``factors`` [3, H, W] float16:
    the shares of sub-part, part and whole, where the method knows them.  ``cache``: where vectors
    of prompts are kept.
    """
    scene, field = load_scene(scene_dir), open_field(model_dir, device)
    texts = Texts(open_features(features_dir), device, Cache(cache))
    frames = [frame for frame in scene.frames if frame.annotations_path]
    with atomic_dir(out_dir) as partial:
        for frame in progress(frames, "query", total=len(frames)):
            prompts = list(load_annotations(frame))
            if prompts:
                arrays = ask(field, frame, texts, prompts)
                write_arrays(partial / RELEVANCY / f"{frame.name}.npz", arrays)
        facts = {**model_facts(model_dir, device), "semantics": sha256_file(model_dir / FILE)}
        write_manifest(partial, facts)


@torch.no_grad()
def ask(
    field: SemanticField, frame: Frame, texts: Texts, prompts: list[str]
) -> dict[str, np.ndarray]:
    """Return the arrays of one view (see `predict_queries`)."""
    said: Vectors = method(field.facts.method).vectors(field, frame)
    maps = relevancy(said.maps, texts.encode(prompts), texts.canonical)  # [P, L, H, W]
    arrays = {"prompts": np.array(prompts), "relevancy": maps.half().cpu().numpy()}
    if said.factors is not None:
        arrays["factors"] = said.factors.movedim(-1, 0).half().cpu().numpy()
    return arrays
