"""A trained scene, opened: pictures, classes, relevancy and objects from any camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semsplat.data.scene import Scene, Viewpoint
from semsplat.errors import SemsplatError, did_you_mean
from semsplat.evaluate.gaussians import classes_of, relevancy_of
from semsplat.field.formats import write_splat
from semsplat.field.known import Known, card_of, scene_of
from semsplat.field.nerfstudio import RUN_SUFFIX, write_run
from semsplat.field.selection import Selection, by_click, by_text
from semsplat.geometry.trained import Trained, open_geometry, pixels, render
from semsplat.palette import ClassPalette
from semsplat.paths import FIELD_FILE
from semsplat.splat.cpu.harmonics import C0
from semsplat.splat.gaussians import chosen
from semsplat.splat.ply import read_ply
from semsplat.train.methods import method
from semsplat.train.model import open_gaussians

Camera = Viewpoint | str
"""Any viewpoint, or the name of one of the scene's views."""


class Field:
    """A training of any method, a geometry, or a splat of any trainer.

    What it can be asked depends on the method: `answers`.  Whatever it cannot answer raises a
    one-line `SemsplatError`.
    """

    def __init__(self, path: Path, trained: Trained, scene: Scene | None, known: Known | None):
        """Take what `open` found; ``known`` is None of what holds colours alone."""
        self.path, self.trained, self.scene, self._known = path, trained, scene, known

    @classmethod
    def open(cls, path: Path | str, device: str = "cpu", approximate: bool = False) -> Field:
        """Open a folder of ``results/train`` or ``results/geometry``, or a .ply in INRIA's layout.

        Args:
            path: the folder, or the file.
            device: "cpu" or "cuda".
            approximate: whether relevancy that a large decoder makes of small codes (LangSplat's)
                may be read off a table of them: many times as fast, and 0.0004 off on average.

        Raises:
            SemsplatError: something is missing, broken, not what was recorded, or has no Gaussians,
                or there is no such device.
        """
        path = Path(path)
        _check_device(device)
        if path.is_file():
            gaussians = {key: value.to(device) for key, value in read_ply(path).items()}
            return cls(path, Trained(gaussians, 3, "black", device), None, None)
        card = card_of(path)
        scene = scene_of(path, card)
        if not (path / FIELD_FILE).exists() and card["phase"] == "geometry":
            return cls(path, open_geometry(path, device), scene, None)
        field = open_gaussians(path, device)
        return cls(path, field.trained, scene, Known(path, field, scene, card, approximate))

    @property
    def method(self) -> str | None:
        """The method's name, None of what holds colours alone."""
        return self._known.field.facts.method if self._known else None

    @property
    def answers(self) -> tuple[str, ...]:
        """What it can be asked: of colours, classes, relevancy, click and text.

        ``click`` and ``text`` are ways to `select`.
        """
        if self._known is None:
            return ("colours",)
        kind, known = method(self._known.field.facts.method), self._known.field.facts
        asked = {
            "classes": bool(known.class_ids),
            "relevancy": hasattr(kind, "vectors"),
            "click": bool(known.class_ids)
            or "similarity" in kind.ANSWERS
            or hasattr(kind, "clicked"),
            "text": True,
        }
        return ("colours", *(name for name, can in asked.items() if can))

    @property
    def known(self) -> Known:
        """What the method attached; raises where there are colours alone."""
        if self._known is None:
            raise SemsplatError(f"{self.path}: holds colours alone; open a folder of results/train")
        return self._known

    @property
    def class_names(self) -> dict[int, str]:
        """Names of the classes it knows by the scene's ids; empty where it knows none."""
        return self._known.class_names if self._known else {}

    def camera(self, camera: Camera) -> Viewpoint:
        """Return the viewpoint that is meant; raise for a view that the scene has not."""
        if isinstance(camera, Viewpoint):
            return camera
        frames = {frame.name: frame for frame in self.scene.frames} if self.scene else {}
        if camera not in frames:
            hint = did_you_mean(str(camera), list(frames)) or _some_of(list(frames))
            raise SemsplatError(f"{self.path}: its scene has no view '{camera}'{hint}")
        return frames[camera]

    def colours(self, camera: Camera) -> NDArray[np.uint8]:
        """Return the picture, uint8 [H, W, 3] sRGB."""
        return pixels(*render(self.trained, self.camera(camera)))[0]

    def depth(self, camera: Camera) -> NDArray[np.float32]:
        """Return expected depth z, float32 [H, W] scene units, 0 where nothing is drawn."""
        image, alpha = render(self.trained, self.camera(camera))
        return torch.where(alpha > 0, image[..., -1], 0.0).cpu().numpy()

    def features(self, camera: Camera) -> NDArray[np.float32]:
        """Return the blended numbers of the method, float32 [H, W, dim]."""
        return self.known.field.blend(self.camera(camera)).cpu().numpy()

    def classes(self, camera: Camera) -> NDArray[np.uint16]:
        """Return class ids of the scene, uint16 [H, W]; `class_names` names them."""
        self._needs("classes")
        return self.known.field.class_map(self.camera(camera))

    def relevancy(self, camera: Camera, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return how relevant pixels are to prompts, float32 [P, H, W] in [0, 1].

        Above 0.5 a pixel is more similar to the prompt than to every canonical phrase (LERF; GAGS,
        Eq. 8).  Of several levels each pixel's largest counts.
        """
        self._needs("relevancy")
        return self.known.relevancy(self.camera(camera), prompts).amax(1).cpu().numpy()

    def select(self, what: str | tuple[Camera, tuple[int, int]]) -> Selection:
        """Return an object: by a text, or by a view and one of its pixels (x, y)."""
        if isinstance(what, str):
            return by_text(self.known, what)
        return by_click(self.known, self.camera(what[0]), what[1])

    def gaussian_classes(self) -> NDArray[np.uint16]:
        """Return the class of every Gaussian by itself, the scene's ids, uint16 [N]."""
        self._needs("classes")
        return classes_of(self.known.field)

    def gaussian_relevancy(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return how relevant every Gaussian by itself is to prompts, float32 [P, N] in [0, 1]."""
        self._needs("relevancy")
        known = self.known
        query = known.encoded(prompts)
        return relevancy_of(known.field, query, known.texts.canonical).cpu().numpy()

    def save_ply(
        self,
        path: Path | str,
        selection: Selection | None = None,
        colours: Literal["own", "classes"] = "own",
    ) -> None:
        """Write a splat: .ply (INRIA's layout), .splat, .spz, .pt, or config.yml for ns-viewer.

        It is in the scene's own coordinates; of config.yml in those of its ``transforms.json``.

        Args:
            path: the file; its suffix says which format.
            selection: the object that is written alone, None for all.
            colours: the photographs', or those of the classes.

        Raises:
            SemsplatError: the suffix is unknown, the selection is empty, no classes are known, or
                ns-viewer would need a scene that is not there.
        """
        gaussians = dict(self.trained.gaussians)
        if colours == "classes":
            palette = ClassPalette(self.class_names)
            gaussians |= coloured(gaussians, palette.picture(self.gaussian_classes()[None])[0])
        if selection is not None:
            if len(selection.members) != len(gaussians["means"]):
                raise SemsplatError(f"{path}: selected in another field; select in this one")
            if not selection.members.any():
                raise SemsplatError(f"{path}: no Gaussian is selected {selection.found}")
            members = torch.from_numpy(selection.members).to(self.trained.device)
            gaussians = chosen(gaussians, members)
        if Path(path).suffix == RUN_SUFFIX:
            scene_dir = self._scene_dir(Path(path))
            write_run(Path(path), gaussians, self.trained.background, scene_dir)
        else:
            write_splat(Path(path), gaussians, self.scene.stored_in if self.scene else None)

    def _scene_dir(self, path: Path) -> Path:
        """Return the scene's folder, which a file at ``path`` needs."""
        if self.scene is None:
            raise SemsplatError(f"{path}: ns-viewer needs a scene, and {self.path} has none here")
        return self.scene.scene_dir

    def _needs(self, answer: str) -> None:
        """Raise unless it can be asked for that."""
        if answer not in self.answers:
            asked = ", ".join(self.answers)
            raise SemsplatError(
                f"{self.path}: {self.method or 'a splat'} has no {answer}; it has {asked}"
            )


def _check_device(device: str) -> None:
    """Raise unless tensors can lie there."""
    kind = device.partition(":")[0]
    if kind not in ("cpu", "cuda") or (kind == "cuda" and not torch.cuda.is_available()):
        raise SemsplatError(f"device '{device}': is not here; take 'cpu', or 'cuda' on a GPU")


def _some_of(views: list[str]) -> str:
    """Return which cameras there are, in words."""
    told = f"its {len(views)} views are {', '.join(views[:3])} ..." if views else "it has none here"
    return f"; {told}; name one, or give a Viewpoint"


def coloured(gaussians: dict[str, Tensor], colours: NDArray[np.uint8]) -> dict[str, Tensor]:
    """Return the harmonics of Gaussians that have colours uint8 [N, 3] from all sides."""
    flat = torch.from_numpy(colours).to(gaussians["sh0"]) / 255
    return {"sh0": (flat[:, None] - 0.5) / C0, "shN": torch.zeros_like(gaussians["shN"])}
