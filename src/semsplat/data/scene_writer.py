"""The canonical scene, written: all of it or nothing, every file hashed into a manifest."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import annotations_file
from semsplat.data.images import MAX_ID, write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.mask_folders import Mask, write_masks
from semsplat.data.normal_frame import OWN, NormalFrame, normal_frame
from semsplat.data.poses import check_intrinsics, check_rigid, flip_camera_axes, rigid_inverse
from semsplat.data.scene import Split
from semsplat.data.transforms import hoist_intrinsics, intrinsics
from semsplat.errors import SemsplatError
from semsplat.folders import atomic_dir
from semsplat.io import write_json
from semsplat.params.base import Strict
from semsplat.vertices import write_points

DEPTH_UNIT_M = 0.001  # 16-bit PNG in millimetres
ID_FOLDERS = ("labels", "instances", "parts")


class SceneWriter:
    """Write a canonical scene to ``out_dir``; an exception inside the block leaves nothing.

    ``dataset`` and ``scene`` name it, ``source`` and ``licence`` say where it comes from and what
    may be done with it; all four go into ``manifest.json``.  What is far from the origin, or very
    large or small, is stored in a normal frame (`semsplat.data.normal_frame`).
    """

    def __init__(
        self, out_dir: Path, *, dataset: str, scene: str, source: str, licence: str
    ) -> None:
        """Prepare; nothing is touched before the block is entered."""
        self._out_dir = out_dir
        self._origin = {"dataset": dataset, "scene": scene, "source": source, "licence": licence}
        self._frames: dict[str, dict[str, Any]] = {}  # name: entry of transforms.json
        self._splits: dict[str, list[str]] = {"train": [], "test": []}  # file paths
        self._label_ids: set[int] = set()
        self._class_ids: set[int] = set()
        self._notes: dict[str, Any] = {}
        self._privileges: list[str] = []
        self._poses: dict[str, NDArray[np.float64]] = {}  # name: camera-to-world, OpenGL axes
        self._frame: NormalFrame | None = None
        self._points: tuple[NDArray[np.float64], NDArray[np.uint8]] | None = None

    def __enter__(self) -> SceneWriter:
        """Open an empty folder beside ``out_dir``."""
        self._stack = ExitStack()
        self._dir = self._stack.enter_context(atomic_dir(self._out_dir))
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: Any) -> None:
        """Write the rest and move the folder into place, or drop it after an exception."""
        if kind is not None:
            self._stack.__exit__(kind, *details)
            return
        with self._stack:  # commits the folder, or drops it when finishing fails
            self._finish()

    def add_frame(
        self,
        name: str,
        image: NDArray[np.uint8],  # [H, W, 3] sRGB
        viewmat: NDArray[np.float64],  # [4, 4] world-to-camera, OpenCV axes
        K: NDArray[np.float64],  # [3, 3] px
        split: Split,
        *,
        depth: NDArray[np.float32] | None = None,  # [H, W] metres, 0 = unknown
        labels: NDArray[np.integer] | None = None,  # [H, W] class ids, 0 = void
        instances: NDArray[np.integer] | None = None,  # [H, W], 0 = none
        parts: NDArray[np.integer] | None = None,  # [H, W], 0 = none
        annotations: list[dict[str, Any]] | dict[str, Mask] | None = None,  # objects as for
        # `annotations_file`, or masks [H, W] by prompt
    ) -> None:
        """Check and write one view; raise a `SemsplatError` naming the frame."""
        where = f"frame '{name}'"
        self._check_name(name)
        check_rigid(viewmat, where)
        check_intrinsics(K, where)
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise SemsplatError(f"{where}: image {image.dtype}{image.shape}; give uint8 [H, W, 3]")
        self._poses[name] = flip_camera_axes(rigid_inverse(viewmat))
        entry: dict[str, Any] = {**intrinsics(K, image.shape[1], image.shape[0])}
        entry["file_path"] = self._write("images", name, image)
        if depth is not None:
            scale = self._frame.scale if self._frame else 1.0
            pixels = _millimetres(depth / scale, image.shape[:2], where)
            entry["depth_file_path"] = self._write("depths", name, pixels)
        for folder, ids in zip(ID_FOLDERS, (labels, instances, parts), strict=True):
            if ids is not None:
                pixels = _id_pixels(ids, image.shape[:2], f"{where}: {folder}")
                entry[f"{folder}_file_path"] = self._write(folder, name, pixels)
        if labels is not None:
            self._label_ids |= set(np.unique(labels).tolist())
        if annotations is not None:
            entry["annotations_file_path"] = self._write_annotations(name, image, annotations)
        self._frames[name] = entry
        self._splits[split].append(entry["file_path"])

    def set_points(
        self,
        xyz: NDArray[np.floating],  # [N, 3] world units
        rgb: NDArray[np.uint8],  # [N, 3]
    ) -> None:
        """Take the initial points; raise unless finite, coloured and at least one."""
        if xyz.shape != rgb.shape or xyz.ndim != 2 or xyz.shape[1] != 3 or rgb.dtype != np.uint8:
            raise SemsplatError(f"points: xyz {xyz.shape} and rgb {rgb.shape} are not both [N, 3]")
        if len(xyz) == 0 or not np.isfinite(xyz).all():
            raise SemsplatError("points: give at least one, all of them finite")
        self._points = xyz.astype(np.float64), rgb

    def set_semantics(self, semantics: dict[str, Any]) -> None:
        """Write ``semantics.json``; ``classes`` must be ``[{"id": 1.., "name": text}]``, ids once.

        Further keys ("objects", "prompts") are free.
        """
        try:
            names = {int(entry["id"]): str(entry["name"]) for entry in semantics["classes"]}
        except (KeyError, TypeError, ValueError):
            raise SemsplatError('semantics: classes must be [{"id": 1, "name": "floor"}]') from None
        unique = len(names) == len(semantics["classes"])
        if not unique or not all(0 < number <= MAX_ID for number in names):
            raise SemsplatError(f"semantics: class ids must be unique and in 1..{MAX_ID}")
        self._class_ids = set(names)
        write_json(self._dir / "semantics.json", semantics)

    def keep_frame(self, frame: NormalFrame) -> None:
        """Take poses, depths and points for stored ones of a scene whose frame this is."""
        self._frame = frame

    def grant(self, privilege: str) -> None:
        """Put what methods are told of the truth into the manifest, and so into every card."""
        self._privileges.append(privilege)

    def note(self, key: str, value: Any) -> None:
        """Put a JSON value into the manifest's ``notes``."""
        self._notes[key] = value

    def _check_name(self, name: str) -> None:
        """Raise unless ``name`` is new and a plain relative path."""
        posix = PurePosixPath(name)
        if posix.is_absolute() or ".." in posix.parts or str(posix) != name or "\\" in name:
            raise SemsplatError(f"frame '{name}': not usable as a file name; rename it")
        if name in self._frames:
            raise SemsplatError(f"two frames are named '{name}'; rename one")

    def _write(self, folder: str, name: str, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> str:
        """Write a PNG and return its path relative to the scene."""
        relative = f"{folder}/{name}.png"
        write_png(self._dir / relative, pixels)
        return relative

    def _write_annotations(
        self,
        name: str,
        image: NDArray[np.uint8],
        annotations: list[dict[str, Any]] | dict[str, Mask],
    ) -> str:
        """Write a frame's annotations and return their path relative to the scene."""
        relative, where = f"annotations/{name}", f"frame '{name}': annotations"
        size = (image.shape[1], image.shape[0])
        if isinstance(annotations, dict):
            write_masks(self._dir / relative, annotations, size, where)
            return relative
        write_json(self._dir / f"{relative}.json", annotations_file(name, annotations, size, where))
        return f"{relative}.json"

    def _finish(self) -> None:
        """Write ``transforms.json`` and ``manifest.json``."""
        if not self._splits["train"]:
            raise SemsplatError(f"{self._out_dir}: no training frame; the scene is empty")
        unnamed = self._label_ids - {0} - self._class_ids
        if unnamed:
            raise SemsplatError(
                f"{self._out_dir}: label {min(unnamed)} has no class name in its semantics"
            )
        frame = OWN if self._frame else self._normal_frame()
        for name, entry in self._frames.items():
            entry["transform_matrix"] = frame.pose(self._poses[name]).tolist()
        transforms = {
            "camera_model": "PINHOLE",
            "depth_unit_scale_factor": DEPTH_UNIT_M * (self._frame or frame).scale,
            **(self._frame or frame).record(),
            **hoist_intrinsics(list(self._frames.values())),
            "train_filenames": self._splits["train"],
            "test_filenames": self._splits["test"],
        }
        if self._points:
            transforms["ply_file_path"] = "points.ply"
            write_points(self._dir / "points.ply", frame.points(self._points[0]), self._points[1])
        write_json(self._dir / "transforms.json", transforms)
        granted = {"privileges": self._privileges, "notes": self._notes}
        write_manifest(self._dir, {**self._origin, **granted})

    def _normal_frame(self) -> NormalFrame:
        """Return the frame in which the scene is stored."""
        train = set(self._splits["train"])
        entries = self._frames.items()
        poses = [self._poses[name] for name, entry in entries if entry["file_path"] in train]
        return normal_frame(np.stack([pose[:3, 3] for pose in poses]))


class Origin(Strict):
    """What importers of others' material share: where it comes from."""

    source: str
    """where the material comes from; goes into the manifest"""
    licence: str
    """what may be done with it; goes into the manifest"""

    def writer(self, scene: str, out_dir: Path) -> SceneWriter:
        """Return what writes a scene to ``out_dir``, which ends in ``{dataset}/{scene}``."""
        origin = {"source": self.source, "licence": self.licence}
        return SceneWriter(out_dir, dataset=out_dir.parent.name, scene=scene, **origin)


def _id_pixels(ids: NDArray[np.integer], shape: tuple[int, ...], where: str) -> NDArray[np.uint16]:
    """Return 16-bit ids [H, W]; raise for another shape, type or range."""
    _check_shape(ids, shape, where)
    if not np.issubdtype(ids.dtype, np.integer) or ids.min() < 0 or ids.max() > MAX_ID:
        raise SemsplatError(f"{where}: ids must be integers in 0..{MAX_ID}")
    return ids.astype(np.uint16)


def _millimetres(
    depth: NDArray[np.float32], shape: tuple[int, ...], where: str
) -> NDArray[np.uint16]:
    """Return depth [H, W] in 16-bit millimetres; raise for what they cannot hold."""
    _check_shape(depth, shape, f"{where}: depth")
    units = np.rint(depth / DEPTH_UNIT_M)
    if not np.isfinite(units).all() or units.min() < 0 or units.max() > MAX_ID:
        limit = MAX_ID * DEPTH_UNIT_M
        raise SemsplatError(f"{where}: depth must be in 0..{limit:.3f} m, 0 where unknown")
    return units.astype(np.uint16)


def _check_shape(pixels: NDArray[Any], shape: tuple[int, ...], where: str) -> None:
    """Raise unless ``pixels`` covers the image of ``shape``."""
    if pixels.shape != shape:
        found, expected = ("x".join(map(str, s[::-1])) for s in (pixels.shape, shape))
        raise SemsplatError(f"{where}: {found} pixels, but the image has {expected}")
