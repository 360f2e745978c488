"""Striped worlds: small scenes on disk in which every protocol can be perfect.

Prompts are vertical stripes, which neither smoothing nor a majority vote moves: they are narrower
than any window and further from the border than it reaches.  All views have one pose and one depth,
so that every pixel of a training view is visible in the next.  Every frame is there twice, held out
and, behind ``train/``, trained on, with the same truth and the same prediction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import strategies as st

from semsplat.arrays import write_arrays
from semsplat.data.images import write_png
from semsplat.data.labelled_points import seen_points
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate.feature_scores import score_features
from semsplat.evaluate.points import Said, write_said
from semsplat.features.lessons import Lesson, write_lesson
from semsplat.features.store import ViewFeatures
from semsplat.io import read_json, write_json
from tests.unit.data.scene_helpers import ORIGIN, K, viewmat_at
from tests.unit.evaluate.annotation_helpers import labelled
from tests.unit.evaluate.feature_helpers import CLASSES, DISTANCE, write_features
from tests.unit.evaluate.job_helpers import CLASS_ANSWERS, run_score

HEIGHT, WIDTH = 8, 96
CELLS = (18, 38, 58)
PROMPTS = tuple(CLASSES.values())
IDS = {name: number for number, name in CLASSES.items()}
Stripes = tuple[tuple[str, int, int], ...]  # (prompt, first column, column behind the last)


@dataclass(frozen=True)
class View:
    """A frame, what it shows, and what is predicted there; None where the prediction is missing."""

    name: str
    truth: Stripes
    said: Stripes | None


@dataclass(frozen=True)
class World:
    """Views in the order of the split."""

    views: tuple[View, ...]
    prompts: tuple[str, ...] = PROMPTS
    said_on_void: int = 0  # the class that is predicted where no stripe is
    said_width: int = WIDTH


def with_said(world: World, said: tuple[Stripes | None, ...]) -> World:
    """Return the world with these predictions, view by view."""
    pairs = zip(world.views, said, strict=True)
    return replace(world, views=tuple(replace(view, said=stripes) for view, stripes in pairs))


@st.composite
def stripes(draw: Any, turn: int) -> Stripes:
    """Draw some prompts' stripes; with another turn every prompt is in another place."""
    found = []
    for place, prompt in enumerate(PROMPTS):
        first = CELLS[(place + turn) % 3] + draw(st.integers(0, 2))
        found.append((prompt, first, first + draw(st.integers(8, 10))))
    kept = draw(st.sets(st.sampled_from(range(3)), min_size=1))
    return tuple(found[place] for place in sorted(kept))


@st.composite
def perfect_worlds(draw: Any, still: bool) -> World:
    """Draw three views in which no prompt stays in its place, or that show all the same."""
    names = ("left/b", "c", "a")
    first = draw(stripes(0))
    shown = [first if still or not turn else draw(stripes(turn)) for turn in range(3)]
    return World(tuple(View(name, s, s) for name, s in zip(names, shown, strict=True)))


@st.composite
def worlds(draw: Any, still: bool, missing: bool) -> World:
    """Draw views with predictions of any quality, of which the second may be ``missing``."""
    said = [draw(stripes(draw(st.integers(0, 2)))) for _ in range(3)]
    lost = missing and draw(st.booleans())
    return with_said(draw(perfect_worlds(still)), (said[0], None if lost else said[1], said[2]))


def ids_of(shown: Stripes, void: int = 0, width: int = WIDTH) -> np.ndarray:
    """Return class ids int32 [H, width]."""
    found = np.full((HEIGHT, width), void, np.int32)
    for prompt, start, end in shown:
        found[:, start:end] = IDS[prompt]
    return found


def photograph(shown: Stripes, width: int = WIDTH) -> np.ndarray:
    return np.repeat(20 * ids_of(shown, width=width)[..., None], 3, axis=2).astype(np.uint8)


def write_world(world: World, folder: Path) -> Path:
    """Write the canonical scene."""
    depth = np.full((HEIGHT, WIDTH), DISTANCE, np.float32)
    with SceneWriter(folder, **ORIGIN) as writer:
        for view in world.views:
            shown = sorted(view.truth, key=lambda stripe: world.prompts.index(stripe[0]))
            boxes = [labelled(p, (start, 0, end - 1, HEIGHT - 1)) for p, start, end in shown]
            maps: Any = {"labels": ids_of(view.truth), "annotations": boxes, "depth": depth}
            image, pose = photograph(view.truth), viewmat_at(0)
            writer.add_frame(view.name, image, pose, K, "test", **maps)
            writer.add_frame(f"train/{view.name}", image, pose, K, "train", **maps)
        classes = [{"id": IDS[prompt], "name": prompt} for prompt in world.prompts]
        writer.set_semantics({"classes": classes})
    return folder


def write_predictions(world: World, folder: Path) -> Path:
    """Write every kind of prediction of every view that has one."""
    for view in reversed(world.views):
        for name in (view.name, f"train/{view.name}"):
            if view.said is not None:
                _write_view(world, view.said, folder, name)
    place = {"view": world.views[0].name, "pixel": [0, 0]}
    write_json(folder / "grounding.json", {"points": dict.fromkeys(PROMPTS, place)})
    write_manifest(folder, {})
    return folder


def _write_view(world: World, said: Stripes, folder: Path, name: str) -> None:
    ids = ids_of(said, world.said_on_void, world.said_width)
    write_png(folder / f"{name}.png", photograph(said, world.said_width))
    write_png(folder / "classes" / f"{name}.png", ids.astype(np.uint16))
    answered = [prompt for prompt in world.prompts if prompt in dict((s[0], s) for s in said)]
    masks = np.stack([ids_of(said, width=world.said_width) == IDS[p] for p in answered])
    write_arrays(
        folder / "relevancy" / f"{name}.npz",
        {
            "prompts": np.array(answered),
            "relevancy": masks[:, None].astype(np.float16),
            "silhouettes": masks.astype(np.float16),
        },
    )
    row_of = np.full(max(IDS.values()) + 1, -1, np.int16)
    row_of[[IDS[prompt] for prompt in world.prompts]] = range(3)
    arrays = {"prompts": np.array(answered), "masks": masks, "gaussians": masks}
    arrays |= {"scene_prompts": np.array(world.prompts), "classes": row_of[ids]}
    write_arrays(
        folder / "selections" / f"{name}.npz", {f"points.{key}": a for key, a in arrays.items()}
    )


def write_lessons(world: World, folder: Path) -> Path:
    nothing = np.zeros((HEIGHT, WIDTH), np.int32)
    for view in world.views:
        for name in (view.name, f"train/{view.name}"):
            write_lesson(folder, name, Lesson(nothing, nothing, None))
    write_manifest(folder, {"classes": [{"id": i, "name": n} for i, n in CLASSES.items()]})
    return folder


def write_world_features(world: World, folder: Path) -> Path:
    """Write features of the training views: a region for every class, and dense vectors."""
    views, one_hot = {}, np.eye(len(CLASSES), dtype=np.float16)
    place = {number: index for index, number in enumerate(CLASSES)}
    for view in world.views:
        if view.said is not None:
            ids = ids_of(view.said, world.said_on_void, world.said_width)
            regions = np.vectorize(lambda number: place.get(number, -1))(ids)
            views[f"train/{view.name}"] = ViewFeatures(
                ids=regions[None].astype(np.int16),
                scores=np.ones(len(CLASSES), np.float16),
                vectors=one_hot,
                dense=one_hot[np.maximum(regions, 0)].transpose(2, 0, 1),
            )
    return write_features(folder, views)


Judge = Callable[[World, Path, Path], None]
"""Scores a world on disk: the world, the scene's folder, scores.json."""


def judge_rgb(world: World, scene: Path, out: Path) -> None:
    run_score(("colours",), scene, write_predictions(world, scene.with_name("predictions")), out)


def judge_setting(world: World, scene: Path, out: Path) -> None:
    predictions = write_predictions(world, scene.with_name("predictions"))
    lessons = write_lessons(world, scene.with_name("lessons"))
    run_score(CLASS_ANSWERS, scene, predictions, out, lessons)


def judge_queries(world: World, scene: Path, out: Path) -> None:
    run_score(("relevancy",), scene, write_predictions(world, scene.with_name("predictions")), out)


def judge_selections(world: World, scene: Path, out: Path) -> None:
    run_score(("similarity",), scene, write_predictions(world, scene.with_name("predictions")), out)


def judge_points(world: World, scene: Path, out: Path) -> None:
    """Score Gaussians that sit where views' pixels are, all views in one place."""
    frame = load_scene(scene).frames[0]
    seen = seen_points(frame)
    assert seen is not None
    said = ids_of(min(v.said for v in world.views if v.said is not None), world.said_on_void)
    predictions, opacities = scene.with_name("predictions"), np.ones(said.size, np.float32)
    classes = {"": said.reshape(-1).astype(np.uint16)}
    write_said(predictions, Said(seen.xyz.astype(np.float32), opacities, classes))
    write_manifest(predictions, {})
    run_score(("points",), scene, predictions, out)


def judge_masks(world: World, scene: Path, out: Path) -> None:
    run_score(("masks",), scene, write_predictions(world, scene.with_name("predictions")), out)


def judge_features(world: World, scene: Path, out: Path) -> None:
    score_features(scene, write_world_features(world, scene.with_name("features")), out)


@cache  # several protocols share a judge, and are shown the same worlds
def judged(judge: Judge, world: World) -> Any:
    """Return what ``scores.json`` says about a world."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "toys/shelf/striped/0/scores.json"
        judge(world, write_world(world, Path(folder) / "scene"), out)
        return read_json(out)
