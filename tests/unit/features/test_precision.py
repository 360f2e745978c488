"""A GPU computes as params.yaml says; a CPU in single precision whatever it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.features import clip
from semsplat.features.precision import computing, precision_on
from semsplat.features.weights import find_weights

HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
def test_a_gpu_computes_in_the_dtype_asked_for(name: Any) -> None:
    context = computing("cuda", name)
    assert isinstance(context, torch.autocast)
    assert (context.device, context.fast_dtype) == ("cuda", HALVES[name])
    assert precision_on("cuda", name) == name


@pytest.mark.parametrize(
    ("device", "name"), [("cuda", "float32"), *(("cpu", name) for name in ("float32", *HALVES))]
)
def test_everything_else_is_single_precision(device: str, name: Any) -> None:
    assert precision_on(device, name) == "float32"
    with computing(device, name):
        assert not torch.is_autocast_enabled("cpu") and not torch.is_autocast_enabled("cuda")


def test_vectors_of_a_cpu_do_not_depend_on_it_and_half_results_have_length_1(
    params: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = clip.open_model(find_weights(params.features.clip_models["tiny"]), "cpu")
    crops = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 3), dtype=np.uint8)
    half = replace(model, precision="bfloat16")
    expected, same = model.encode_crops(crops, 4), half.encode_crops(crops, 4)
    assert np.array_equal(expected, same)

    monkeypatch.setattr(clip, "computing", lambda *_: torch.autocast("cpu", torch.bfloat16))
    rounded = half.encode_crops(crops, 4).astype(float)
    np.testing.assert_allclose(np.linalg.norm(rounded, axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(rounded, expected, atol=0.05)
    assert not np.array_equal(rounded, expected)
    text = half.encode_texts(["table"], ["a {}"])
    assert text.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(text, axis=1), 1, atol=1e-6)
