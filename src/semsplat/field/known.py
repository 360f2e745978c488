"""A trained field, and what lies around it: its scene, and the features that it learned from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from semsplat.data.scene import Scene, Viewpoint, load_scene, load_semantics
from semsplat.errors import SemsplatError, readable
from semsplat.evaluate.relevancy import relevancy
from semsplat.features.queries import Texts
from semsplat.features.store import SceneFeatures, open_features
from semsplat.field.code_table import AskedTable, CodeTable
from semsplat.io import read_json, sha256_file
from semsplat.paths import features_dir, geometry_dir, scene_dir, train_dir
from semsplat.train.methods import method
from semsplat.train.model import SemanticField

DEPTHS = {
    "train": len(train_dir("", "scene", "setting", 0).parts) + 1,
    "geometry": len(geometry_dir("", "scene", 0).parts) + 1,
}
"""How many folders below the project's a phase's results lie."""


TRAINING = str(train_dir("DATASET", "SCENE", "SETTING", 0))
"""How a training is named, for those who name none."""


def project_of(folder: Path, phase: str) -> Path:
    """Return the project that a folder of a phase's results is in."""
    above = folder.absolute().parents
    return above[min(DEPTHS[phase], len(above)) - 1]  # a copy elsewhere may lie less deep


def scene_of(folder: Path, card: dict[str, Any]) -> Scene | None:
    """Return the scene that a run is of, None where the project does not hold it."""
    place = scene_dir(card["config"]["dataset"], card["config"]["scene"])
    found = project_of(folder, card["phase"]) / place
    return load_scene(found) if (found / "transforms.json").is_file() else None


@dataclass(frozen=True, eq=False)
class Known:
    """A field with its surroundings; what is not there is missed when somebody asks for it."""

    folder: Path
    field: SemanticField
    scene: Scene | None
    card: dict[str, Any]
    approximate: bool = False
    """Whether relevancy may be read off a table."""
    _asked_before: dict[tuple[str, ...], AskedTable] = dataclasses.field(default_factory=dict)

    @cached_property
    def class_names(self) -> dict[int, str]:
        """The names of the classes that the field knows, by the scene's ids."""
        if not self.field.facts.class_ids:
            return {}
        named = load_semantics(self.opened_scene)["classes"]
        return {e["id"]: e["name"] for e in named if e["id"] in self.field.facts.class_ids}

    @property
    def opened_scene(self) -> Scene:
        """The scene; raises where it is not there."""
        if self.scene is None:
            raise SemsplatError(
                f"{self.folder}: its scene is not in this project's data/; bring it, or open the"
                " training where it was made"
            )
        return self.scene

    @cached_property
    def features(self) -> SceneFeatures:
        """The features of which the card has the digest; raises where they are not there."""
        config, digest = self.card["config"], self.card["inputs"].get("features")
        pattern = features_dir(config["dataset"], config["scene"], "*", "*") / "manifest.json"
        for manifest in sorted(project_of(self.folder, self.card["phase"]).glob(str(pattern))):
            if sha256_file(manifest) == digest:
                return open_features(manifest.parent)
        raise SemsplatError(
            f"{self.folder}: the features that it learned from are not in results/features, so no"
            " text can be asked; make them anew, or open the training where it was made"
        )

    @cached_property
    def texts(self) -> Texts:
        """What encodes prompts, as those of the features were."""
        return Texts(self.features, self.field.trained.device)

    def encoded(self, prompts: Sequence[str]) -> Tensor:
        """Return prompts as `Texts.encode` does; raise where there is none, or an empty one."""
        check_prompts(prompts)
        return self.texts.encode(list(prompts))

    @torch.no_grad()
    def relevancy(self, camera: Viewpoint, prompts: Sequence[str]) -> Tensor:
        """Return how relevant pixels are to prompts, float32 [P, L, H, W] in [0, 1]."""
        if self._table is not None:
            return self._asked(prompts).relevancy(self.field, camera)
        said = method(self.field.facts.method).vectors(self.field, camera)
        return relevancy(said.asked, self.encoded(prompts), self.texts.canonical)

    @cached_property
    def _table(self) -> CodeTable | None:
        """The table off which relevancy is read, where there is and may be one."""
        return CodeTable.of(self.field) if self.approximate else None

    def _asked(self, prompts: Sequence[str]) -> AskedTable:
        """Return the table of prompts; those of the pictures before are kept."""
        assert self._table is not None
        if (texts := tuple(prompts)) not in self._asked_before:
            self._asked_before.clear()
            query = self.encoded(prompts)
            self._asked_before[texts] = self._table.asked(query, self.texts.canonical)
        return self._asked_before[texts]


def check_prompts(prompts: Sequence[str]) -> None:
    """Raise where there is no prompt, or an empty one."""
    if isinstance(prompts, str) or not prompts or not all(text.strip() for text in prompts):
        raise SemsplatError(f"prompts {prompts!r}: give a list of texts, none of them empty")


def card_of(folder: Path) -> dict[str, Any]:
    """Return a run's card.

    Raises:
        SemsplatError: the folder has none, or it is of neither a training nor a geometry.
    """
    path = folder / "run.json"
    if not path.is_file():
        what = "holds no run.json" if folder.is_dir() else "no such folder or file"
        raise SemsplatError(f"{folder}: {what}; name {TRAINING}, or a .ply")
    card: dict[str, Any] = read_json(path)
    if not isinstance(card, dict) or card.get("phase") not in DEPTHS:
        raise SemsplatError(f"{folder}: holds no trained splat; name {TRAINING}")
    with readable(path, "a run's card", "run what writes it again"):
        scene_dir(card["config"]["dataset"], card["config"]["scene"])
    return card
