"""A COLMAP model, its photographs and labels as LERF-OVS has them: what several releases share.

A folder of labels has one ``{picture}.json`` per labelled picture, whose content
`semsplat.data.annotations` describes.  Published code finds the image of a label by its number; a
label is about the picture whose name it bears, and nothing else is looked at here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from pydantic import Field

from semsplat.data.annotations import annotations_file
from semsplat.data.colmap_model import Photographs, Rectifier
from semsplat.data.images import Size, same_shape
from semsplat.data.scene_writer import Origin, SceneWriter
from semsplat.errors import SemsplatError
from semsplat.io import read_json


@dataclass(frozen=True, eq=False)
class LabelFile:
    """The labels of one picture, as they stand in its file."""

    path: Path
    size: Size  # of the picture that was labelled
    objects: list[dict[str, Any]]  # category, bbox, segmentation and further keys

    @property
    def prompts(self) -> list[str]:
        """Every category once, as the file names them first."""
        return list(dict.fromkeys(entry["category"] for entry in self.objects))


class ReleaseOptions(Origin):
    """What importers of labelled releases share: who is held out, and sizes."""

    held_out: bool
    """false: labelled views are trained on, as published, and none is left whose colours could be
    scored; true: they are held out"""
    max_width_px: int | None = Field(gt=0)
    """wider images are shrunk to this width, and labels with them"""


@dataclass(frozen=True)
class Release:
    """What is known of the labels of a published scene."""

    pairs: tuple[int, ...]
    """numbers of (picture, prompt) pairs that fit the published percentages"""
    frames: tuple[int, ...] = ()
    """numbers of the labelled pictures; empty where nobody states them"""
    images: int | None = None
    """photographs, where somebody states a number"""


def label_files(folder: Path) -> list[Path]:
    """Return the JSON files of a folder of labels, by name; empty when it is missing."""
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))


def read_labels(folder: Path) -> dict[str, LabelFile]:
    """Return {name without suffix: labels}; raise when there is none or one is broken."""
    paths = label_files(folder)
    if not paths:
        raise SemsplatError(f"{folder}: no JSON of a labelled picture; correct 'labels'")
    return {path.stem: _read_label(path) for path in paths}


def check_release(folder: Path, labels: Mapping[str, LabelFile], known: Release) -> None:
    """Raise unless the labels are those of the published scene."""
    expected = [f"frame_{number:05}" for number in known.frames]
    if expected and list(labels) != expected:
        raise SemsplatError(
            f"{folder}: labels of {', '.join(labels)}, expected {', '.join(expected)};"
            " unpack the release again, or name the scene otherwise"
        )
    pairs = n_pairs(labels)
    if pairs not in known.pairs:
        wanted = " or ".join(map(str, known.pairs))
        raise SemsplatError(
            f"{folder}: {pairs} pairs of a picture and a prompt, expected {wanted};"
            " unpack the release again, or name the scene otherwise"
        )


def n_pairs(labels: Mapping[str, LabelFile]) -> int:
    """Return the number of (picture, prompt) pairs."""
    return sum(len(label.prompts) for label in labels.values())


def check_registered(labels: Mapping[str, LabelFile], names: Collection[str]) -> None:
    """Raise at a label whose picture is no frame of the model: its pairs would be lost."""
    for name, label in labels.items():
        if name not in names:
            raise SemsplatError(
                f"{label.path}: the model registers no image '{name}'; use the release's model,"
                " or remove the label"
            )


def write_frames(
    writer: SceneWriter,
    photographs: Photographs,
    labels: Mapping[str, LabelFile],  # by name of the frame
    *,
    held_out: bool,
) -> None:
    """Write views, points and notes of a scene; labelled views are held out or trained on."""

    def annotations(name: str, image: Path, plan: Rectifier) -> dict[str, Any]:
        label = labels.get(name)
        return {} if label is None else {"annotations": _imported_objects(label, image, plan)}

    photographs.write(writer, labels if held_out else (), annotations)
    writer.note("pairs", n_pairs(labels))
    writer.note("labels_of", {label.path.stem: name for name, label in labels.items()})


def _read_label(path: Path) -> LabelFile:
    """Return one file's content; raise unless it is about the picture it is called as."""
    content = read_json(path)
    try:
        info, objects = content["info"], content["objects"]
        name, size = str(info["name"]), (int(info["width"]), int(info["height"]))
    except (KeyError, TypeError, ValueError):
        raise SemsplatError(
            f'{path}: needs "info" with name, width and height, and "objects"'
        ) from None
    annotations_file(path.stem, objects, size, str(path))  # checks categories, boxes, polygons
    if PurePath(name).stem != path.stem:
        raise SemsplatError(f"{path}: is about '{name}'; rename the file as its picture")
    return LabelFile(path, size, objects)


def _imported_objects(label: LabelFile, image: Path, plan: Rectifier) -> list[dict[str, Any]]:
    """Return the objects as they lie on the imported image.

    The picture that was labelled may be the image at another scale.
    """
    if not same_shape(label.size, plan.source_size):
        sizes = ["x".join(map(str, size)) for size in (label.size, plan.source_size)]
        raise SemsplatError(
            f"{label.path}: about a picture of {sizes[0]} pixels, which is no scaled {sizes[1]} of"
            f" {image}; use the images that were labelled"
        )
    if plan.lookup is not None:
        raise SemsplatError(
            f"{label.path}: polygons cannot be undistorted as {image} is; use the images and the"
            " model that COLMAP's image_undistorter wrote"
        )
    if label.size == plan.size:
        return label.objects
    factors = plan.size[0] / label.size[0], plan.size[1] / label.size[1]
    keys = ("bbox", "segmentation")
    return [e | {key: _scaled_points(e[key], factors) for key in keys} for e in label.objects]


def _scaled_points(values: list[Any], factors: tuple[float, float]) -> list[Any]:
    """Return x, y, x, y ... scaled, however deep such lists are nested.

    Pixels are counted from the centre of the top-left one, so that its corner stays where it is
    when half a pixel is added.
    """
    if values and isinstance(values[0], list):
        return [_scaled_points(value, factors) for value in values]
    return [(value + 0.5) * factors[index % 2] - 0.5 for index, value in enumerate(values)]
