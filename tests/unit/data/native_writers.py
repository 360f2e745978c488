"""Canonical scenes written in the layouts of data sets whose importers are tested with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
from scene_helpers import make_model

from semsplat.data.annotate import Annotate, object_prompts
from semsplat.data.datasets import procedural
from semsplat.data.images import write_png
from semsplat.data.poses import rigid_inverse
from semsplat.data.scene import (
    Frame,
    Scene,
    load_depth,
    load_ids,
    load_image,
    load_points,
    load_scene,
    load_semantics,
)
from semsplat.data.world.vocabulary import STUFF

Masks = dict[str, np.ndarray]


def draw_tabletop(folder: Path) -> Scene:
    """Return a procedural scene of six views, 64 x 48 pixels, named rgb_0 to rgb_5."""
    out = folder / "data/procedural/tabletop"
    options = procedural.Options(
        kind="tabletop", seed=8, n_views=6, width_px=64, height_px=48, hfov_deg=68.0,
        test_every=3, n_points=50, sweep=None, point_noise_m=0.0,
        annotate=Annotate(min_area_px=30, min_piece_px=5, also_train=True),
    )  # fmt: skip
    procedural.draw(options, procedural.native_dir(out))
    procedural.import_scene("tabletop", options, out)
    return load_scene(out)


def object_masks(scene: Scene, frame: Frame) -> Masks:
    """Return {prompt: mask [H, W]} of all prompts of the scene; what is hidden has an empty one."""
    assert frame.instances_path is not None
    ids = load_ids(frame.instances_path, frame)
    prompts = object_prompts(load_semantics(scene)["objects"], STUFF)
    return {prompt: np.isin(ids, numbers) for prompt, numbers in prompts.items()}


def write_masks(folder: Path, masks: Masks) -> None:
    for prompt, mask in masks.items():
        write_png(folder / f"{prompt}.png", mask.astype(np.uint8) * 255)


def write_model(scene: Scene, folder: Path, factor: int = 1) -> None:
    """Write a COLMAP model of ``{frame}.png``, of images ``factor`` times as large."""
    frame = scene.frames[0]
    params = factor * np.array([frame.K[0, 0], frame.K[1, 1], frame.K[0, 2], frame.K[1, 2]])
    size = {"width": factor * frame.width, "height": factor * frame.height}
    camera = pycolmap.Camera(model="PINHOLE", params=params, **size)
    viewmats = {f"{frame.name}.png": frame.viewmat for frame in scene.frames}
    folder.mkdir(parents=True)
    make_model(camera, viewmats, load_points(scene)[0]).write_binary(str(folder))


def write_lerf_mask(scene: Scene, root: Path, masks_of: dict[str, str]) -> Path:
    """Write LERF-Mask's layout; ``masks_of`` is {folder of test_mask: frame}."""
    write_model(scene, root / "sparse/0")
    for frame in scene.frames:
        write_png(root / f"images/{frame.name}.png", load_image(frame))
    for frame in scene.train:
        write_png(root / f"images_train/{frame.name}.png", load_image(frame))
    by_name = {frame.name: frame for frame in scene.frames}
    for folder, name in masks_of.items():
        shown = {p: mask for p, mask in object_masks(scene, by_name[name]).items() if mask.any()}
        write_masks(root / "test_mask" / folder, shown)
    return root


def write_ovs3d(scene: Scene, root: Path, labelled: tuple[str, ...], scale: int = 1) -> Path:
    """Write 3D-OVS's layout; frames are renamed 00, 01 ...

    ``labelled`` are new names.  The poses file is about images ``scale`` times as large.
    """
    rows = []
    for index, frame in enumerate(scene.frames):
        name = f"{index:02}"
        write_png(root / f"images/{name}.png", load_image(frame))
        if name in labelled:
            write_masks(root / "segmentations" / name, object_masks(scene, frame))
        depth = load_depth(frame)
        right, down, forward, position = rigid_inverse(frame.viewmat)[:3].T
        hwf = scale * np.array([frame.height, frame.width, frame.K[0, 0]])
        pose = np.stack([down, right, -forward, position, hwf], axis=1)  # [3, 5]
        rows.append([*pose.ravel(), depth[depth > 0].min(), depth.max()])
    np.save(root / "poses_bounds.npy", np.array(rows))
    classes = sorted(object_masks(scene, scene.frames[0]))
    (root / "segmentations/classes.txt").write_text("\n".join(classes) + "\n\n")
    return root
