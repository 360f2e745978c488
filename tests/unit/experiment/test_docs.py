"""Documentation and editor schema are those of the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from semsplat.data.datasets import importer_names
from semsplat.evaluate import protocol_docs
from semsplat.experiment.__main__ import (
    DOCS_PATH,
    PROTOCOLS_PATH,
    PUBLISHED_PATH,
    SCHEMA_PATH,
)
from semsplat.experiment.docs import markdown
from semsplat.experiment.editor import json_schema
from semsplat.experiment.schema import Dataset
from semsplat.experiment.sections import check_dataset
from semsplat.figures.published import numbers

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("path", "write"),
    [
        (SCHEMA_PATH, json_schema),
        (DOCS_PATH, markdown),
        (PROTOCOLS_PATH, protocol_docs.markdown),
        (PUBLISHED_PATH, numbers.markdown),
    ],
    ids=["schema", "docs", "protocols", "published"],
)
def test_the_committed_file_is_up_to_date(path: Path, write: Any) -> None:
    assert (ROOT / path).read_text() == write(), f"{path} is stale; run make docs"


def test_params_yaml_points_at_the_schema() -> None:
    first = (ROOT / "params.yaml").read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_PATH}"


def test_every_section_of_the_file_is_documented() -> None:
    text = (ROOT / DOCS_PATH).read_text()
    config = yaml.safe_load((ROOT / "params.yaml").read_text())
    for key, value in config.items():
        assert f"| `{key}` |" in text
        if key in ("geometry", "training", "evaluate"):
            assert all(f"| `{key}.{inner}` |" in text for inner in value)
    assert {"colmap", "lerf_mask", "ovs3d"} <= set(importer_names())
    for name in importer_names():
        assert f"options of importer `{name}`" in text


def test_examples_of_data_sets_are_complete_and_every_importer_is_listed() -> None:
    text = (ROOT / "docs/data.md").read_text()
    assert [n for n in importer_names() if f"| `{n}` |" not in text] == []  # rows that are missing
    examples = [block.split("```")[0] for block in text.split("```yaml\n")[1:]]
    assert len(examples) == 3
    for example in examples:
        for name, values in yaml.safe_load(example)["datasets"].items():
            assert check_dataset(name, Dataset.model_validate(values)) == []


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("features: labels of kind `clip_regions`", ["recipe", "weights", "uncovered"]),
        ("features: labels of kind `label_maps`", ["labels", "masks"]),
        ("features: tracks of kind `depth_warp`", ["depth", "tolerance", "min_iou"]),
        ("features: tracks of kind `id_maps`", ["folder"]),
        ("methods: options of `clip_gs`", ["teacher", "dim", "coherent.start", "lr.decoder"]),
        ("methods: options of `feature_3dgs`", ["teacher", "init_std", "lr"]),
    ],
)
def test_options_of_teachers_and_methods_are_documented(title: str, keys: list[str]) -> None:
    sections = (ROOT / DOCS_PATH).read_text().split("## ")
    (section,) = [text for text in sections if text.startswith(title + "\n")]
    assert all(f"| `{key}` |" in section for key in keys)


def test_every_row_is_whole_and_says_what_the_key_means() -> None:
    for line in markdown().splitlines():
        if "`" in line and line.startswith("|"):
            cells = [cell.strip() for cell in line.split(" | ")]
            assert len(cells) == 3 and line.endswith(" |"), line
            assert len(cells[2]) > 3, line
