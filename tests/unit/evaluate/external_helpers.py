"""A shelf with labels and prompts, our predictions of it, and a person's folder of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from semsplat.arrays import write_arrays
from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.io import write_sealed
from semsplat.keys import TrainingKey
from semsplat.params.external import ExternalJob
from semsplat.paths import evaluate_dir, scene_dir, train_dir
from tests.unit.data.scene_helpers import ORIGIN, K, random_image, viewmat_at
from tests.unit.evaluate.annotation_helpers import CUP, CUP_BOX, PLATE, PLATE_BOX, labelled
from tests.unit.evaluate.feature_helpers import CLASSES, HEIGHT, WIDTH

COMMIT = "0123456789abcdef" * 2 + "01234567"
CARD: dict[str, Any] = {
    **{"method": "LERF", "who": "somebody", "repository": "https://example.org/lerf"},
    **{"commit": COMMIT, "changes": "", "device": "one RTX 4090", "geometry": "own", "told": []},
    "spent": {"toys/shelf/3": {"train_s": 1200.0, "query_ms": 30.0}},
}
ANSWERS = ["classes", "relevancy", "colours"]
JOB = ExternalJob(dataset="toys", scene="shelf", setting="lerf", seed=3, answers=ANSWERS)
OURS = TrainingKey("toys", "shelf", "gags", 3)
PLACE = scene_dir("toys", "shelf")
ROOT = Path("given")
RUN = ROOT / "toys/shelf/3"
PROMPTS = [CUP, PLATE]


def write_shelf() -> Scene:
    """Write a scene whose views are labelled, and named ``left/a``, ``b`` and, in training, t, u.

    ``left/a`` and ``t`` are annotated.
    """
    truth = np.where(np.arange(WIDTH) < 8, 2, 5) + np.zeros((HEIGHT, 1), int)
    found = [labelled(CUP, CUP_BOX), labelled(PLATE, PLATE_BOX)]
    with SceneWriter(PLACE, **ORIGIN) as writer:
        for x, (name, split) in enumerate(
            {"left/a": "test", "b": "test", "t": "train", "u": "train"}.items()
        ):
            maps: dict[str, Any] = {"labels": truth, "depth": np.full((HEIGHT, WIDTH), 4.0)}
            maps["annotations"] = found if name in ("left/a", "t") else None
            writer.add_frame(name, random_image(seed=x), viewmat_at(0.2 * x), K, split, **maps)
        writer.set_semantics({"classes": [{"id": i, "name": n} for i, n in CLASSES.items()]})
    return load_scene(PLACE)


def class_map(number: int) -> np.ndarray:
    return np.random.default_rng(number).choice([0, 2, 5, 9], (HEIGHT, WIDTH)).astype(np.uint16)


def maps_of(number: int, levels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(number)
    return rng.uniform(0, 1, (len(PROMPTS), levels, HEIGHT, WIDTH)).astype(np.float16)


def write_ours(scene: Scene) -> Path:
    """Write predictions as our own ``predict`` leaves them, with the card of their training."""
    folder = evaluate_dir(*OURS) / "predictions"
    for number, frame in enumerate(scene.frames):
        write_png(folder / "classes" / f"{frame.name}.png", class_map(number))
    for number, frame in enumerate(scene.test):
        target = folder / f"{frame.name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_png(target, random_image(seed=90 + number))
    for number, name in enumerate(("left/a", "t")):
        arrays = {"prompts": np.array(PROMPTS), "relevancy": maps_of(number)}
        arrays["factors"] = np.zeros((3, HEIGHT, WIDTH), np.float16)
        write_arrays(folder / "relevancy" / f"{name}.npz", arrays)
    write_manifest(folder, {})
    card = {
        "config": {"method": "gags", "setting": OURS.setting},
        "inputs": {"scene": "0", "geometry": "1"},
        "privileges": ["a word"],
        "git": {"commit": COMMIT, "dirty": False},
        "machine": {"gpu": None, "cpu": "Abacus 2000"},
    }
    write_sealed(train_dir(*OURS) / "run.json", card)
    return folder


def write_card(**changes: Any) -> None:
    ROOT.mkdir(exist_ok=True)
    (ROOT / "card.yaml").write_text(yaml.safe_dump({**CARD, **changes}))


def write_given(scene: Scene) -> None:
    """Write what a person gives: class maps of both kinds, maps of prompts, colours, a card."""
    write_card()
    for number, frame in enumerate(scene.frames):
        target = RUN / "classes" / frame.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if number % 2:
            np.save(target.with_name(f"{target.name}.npy"), class_map(number).astype(np.int64))
        else:
            write_png(target.with_name(f"{target.name}.png"), class_map(number))
    for number, frame in enumerate(scene.test):
        write_png(RUN / "colours" / f"{frame.name}.png", random_image(seed=number))
    for number, name in enumerate(("left/a", "t")):
        write_maps(name, relevancy=maps_of(number).astype(np.float32))


def write_maps(name: str, **changes: Any) -> None:
    path = RUN / "relevancy" / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"prompts": np.array(PROMPTS), "relevancy": maps_of(0), **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
