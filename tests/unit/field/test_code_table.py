"""Relevancy that is read off a table of codes, beside what the decoder says of every pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semsplat.features.queries import Texts
from semsplat.field.code_table import CodeTable
from semsplat.field.field import Field
from semsplat.fit.trainee import Decoder
from semsplat.paths import FIELD_FILE, train_dir
from semsplat.train.attached import SEMANTICS
from semsplat.train.methods import method
from semsplat.train.model import FieldFacts, write_field
from semsplat.viewer.server import fields_and_scene
from tests.unit.evaluate.model_helpers import trainee
from tests.unit.field.project import write_project

CODES = [
    [0.5, -0.2, 0.8, 0.1, 0.9, -0.3, -0.6, 0.2, 0.4],
    [-0.9, 0.3, 0.1, 0.2, -0.7, 0.6, 0.4, 0.4, 0.4],
]
"""What the two balls hold, three levels of three numbers."""


def write_coded(project: Path, numbers: int = 3) -> Path:
    """Turn a training of the project into one of LangSplat's with an untrained decoder."""
    folder = project / train_dir("made", "balls", "clip_gs", 0)
    shape = {"out": 6, "encoder": [4, numbers], "decoder": [5, 7]}
    torch.manual_seed(1)
    done = trainee("clip_gs")
    done.gaussians[SEMANTICS] = torch.nn.Parameter(torch.tensor(CODES)[:, : 3 * numbers])
    module = method("langsplat").decoder(**shape)
    for weight in module.decoder.parameters():
        weight.data = torch.randn(weight.shape)
    done.decoder = Decoder(module, None)
    write_field(folder / FIELD_FILE, done, FieldFacts("langsplat", [], shape))
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training of LangSplat's, whose texts are known."""
    torch.manual_seed(0)
    unit = torch.nn.functional.normalize(torch.randn(5, 6), dim=-1)
    known = dict(zip(("mug", "chair"), unit[:2], strict=True))
    monkeypatch.setattr(Texts, "encode", lambda _, asked: torch.stack([known[p] for p in asked]))
    monkeypatch.setattr(Texts, "canonical", unit[2:])
    return write_coded(write_project(tmp_path, "clip_gs"))


def test_a_table_says_nearly_what_the_decoder_says(folder: Path) -> None:
    exact, quick = (Field.open(folder, approximate=told) for told in (False, True))
    wanted = exact.known.relevancy(exact.camera("held_out"), ["mug", "chair"])
    found = quick.known.relevancy(quick.camera("held_out"), ["mug", "chair"])
    assert found.shape == wanted.shape == (2, 3, 12, 16)
    differs = (found - wanted).abs()
    assert 0 < differs.mean() < 2e-4
    others = [wanted.flip(0), wanted.roll(1, 1), wanted.flip(3)]  # prompts, levels, columns
    for other in others:
        assert (other - wanted).abs().mean() > 5 * differs.mean()


def test_prompts_of_another_picture_are_asked_anew(folder: Path) -> None:
    field = Field.open(folder, approximate=True)
    both = field.relevancy("held_out", ["mug", "chair"])
    np.testing.assert_allclose(field.relevancy("held_out", ["chair"])[0], both[1], atol=1e-6)
    np.testing.assert_allclose(field.relevancy("held_out", ["mug"])[0], both[0], atol=1e-6)


def test_the_table_is_exact_at_its_codes_in_their_order(folder: Path) -> None:
    field = Field.open(folder).known.field
    table = CodeTable.of(field)
    assert table is not None
    place = (10, 24, 48)
    code = torch.linspace(-1, 1, 49)[list(place)]
    torch.testing.assert_close(table.vectors[place], field.decoder(code))


def test_only_codes_of_three_numbers_have_a_table(tmp_path: Path) -> None:
    folder = write_coded(write_project(tmp_path, "clip_gs"), numbers=2)
    assert CodeTable.of(Field.open(folder).known.field) is None
    other = write_project(tmp_path / "other", "gags") / train_dir("made", "balls", "gags", 0)
    assert CodeTable.of(Field.open(other).known.field) is None


def test_the_viewer_reads_the_table(folder: Path) -> None:
    fields, _ = fields_and_scene([folder], "cpu")
    (shown,) = fields.values()
    assert shown.known.approximate and not Field.open(folder).known.approximate
