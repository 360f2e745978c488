"""Keys: the addresses of results, and the folders that they stand for.

What a job is told, in contrast, is a ``...Job`` of `semsplat.params`.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from semsplat.errors import SemsplatError
from semsplat.paths import (
    GEOMETRY,
    evaluate_dir,
    feature_scores_dir,
    features_dir,
    geometry_dir,
    scene_dir,
    train_dir,
)

ALL = "all"
"""In the place of a seed: features that all seeds share."""


class SceneKey(NamedTuple):
    """One scene."""

    dataset: str
    scene: str

    @property
    def scene_dir(self) -> Path:
        """The canonical scene."""
        return scene_dir(self.dataset, self.scene)

    def features_dir(self, recipe: str) -> Path:
        """Return the folder of its features, ``recipe/seed``."""
        return features_dir(self.dataset, self.scene, *recipe.split("/"))

    def scores_dir(self, recipe: str) -> Path:
        """Return the folder of the scores of these features."""
        return feature_scores_dir(self.dataset, self.scene, *recipe.split("/"))


class GeometryKey(NamedTuple):
    """One geometry, on which all settings of a scene and a seed are compared."""

    dataset: str
    scene: str
    seed: int

    @property
    def label(self) -> str:
        """How it is called in legends and titles."""
        return f"{self.dataset}/{self.scene}, seed {self.seed}"

    @property
    def scene_dir(self) -> Path:
        """The canonical scene."""
        return scene_dir(self.dataset, self.scene)

    @property
    def geometry_dir(self) -> Path:
        """Its own folder."""
        return geometry_dir(*self)

    @property
    def evaluate_dir(self) -> Path:
        """The evaluation of the geometry itself."""
        return self.setting_dir(GEOMETRY)

    def setting_dir(self, setting: str) -> Path:
        """Return the folder of a setting's evaluation."""
        return evaluate_dir(self.dataset, self.scene, setting, self.seed)

    def train_dir(self, setting: str) -> Path:
        """Return the folder of a setting's training."""
        return train_dir(self.dataset, self.scene, setting, self.seed)


class FeaturesKey(NamedTuple):
    """The 2-D features of one scene under one recipe, and their scores."""

    dataset: str
    scene: str
    recipe: str
    seed: str
    """of the geometry that prompts follow, or `ALL`"""


class LessonsKey(NamedTuple):
    """What one teacher says about a scene; its mistakes and its tracks depend on the seed."""

    dataset: str
    scene: str
    teacher: str
    seed: int


class TrainingKey(NamedTuple):
    """One training of a setting, or, under the setting `GEOMETRY`, the geometry itself."""

    dataset: str
    scene: str
    setting: str
    seed: int

    def __str__(self) -> str:
        """Return ``dataset/scene/setting/seed``."""
        return "/".join(map(str, self))

    @property
    def place(self) -> str:
        """The scene, ``dataset/scene``."""
        return f"{self.dataset}/{self.scene}"

    @property
    def kind(self) -> str:
        """What it is: ``train`` or ``geometry``."""
        return "geometry" if self.setting == GEOMETRY else "train"

    @property
    def folder(self) -> Path:
        """What came out of it."""
        alone = self.setting == GEOMETRY
        return geometry_dir(self.dataset, self.scene, self.seed) if alone else train_dir(*self)

    @property
    def card_path(self) -> Path:
        """Its card."""
        return self.folder / "run.json"

    @property
    def scores_path(self) -> Path:
        """Its scores."""
        return evaluate_dir(*self) / "scores.json"


def parse_training(text: str) -> TrainingKey:
    """Return the training that ``dataset/scene/setting/seed`` names."""
    try:
        dataset, scene, setting, seed = text.split("/")
        return TrainingKey(dataset, scene, setting, int(seed))
    except ValueError:
        raise SemsplatError(f"'{text}' is no dataset/scene/setting/seed") from None
