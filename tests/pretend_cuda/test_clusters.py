"""Clusters of Gaussians on the pretended GPU, against those of the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semsplat.data.scene import Scene
from semsplat.evaluate import clusters
from semsplat.features.lessons import Lessons
from semsplat.params.evaluate import Clusters
from semsplat.train.model import open_field
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.pretend_cuda.test_phases import train_job

OPTIONS = Clusters(samples=150, min_share=0.1, min_opacity=0.0)


def test_they_are_those_of_the_cpu(
    tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(clusters, "SIMILARITIES_AT_ONCE", 7 * 150)
    train_job("cgc", tiny_scene, lessons, sources)(tmp_path / "model", "cpu")

    def found(device: str) -> tuple[np.ndarray, np.ndarray]:
        field = open_field(tmp_path / "model", device)
        for place, (first, many) in enumerate(((0, 1), (1, 2), (3, 3))):  # of every six
            for row in range(first, first + many):
                field.semantics[row::6, place] += 9.0
        ids = clusters.cluster(field, OPTIONS, 0)
        return ids, clusters.cluster_map(field, tiny_scene.test[0], ids)

    expected = found("cpu")
    with pretended_gpu(), pretended_kernels():
        there = found("cuda")
    assert np.array_equal(there[0], expected[0]) and expected[0].max() == 2
    assert (there[1] != expected[1]).mean() < 0.01
