"""Where gsplat's compiled kernels are looked for."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch.utils import cpp_extension  # noqa: F401  # before imports are told another story

from semsplat.splat.kernels_gpu import built_library


def test_a_library_that_was_installed_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {"gsplat.csrc": SimpleNamespace(origin="/site-packages/gsplat/csrc.so")}
    monkeypatch.setattr(importlib.util, "find_spec", shipped.get)
    assert built_library() == Path("/site-packages/gsplat/csrc.so")


def test_otherwise_it_is_built_once_it_lies_where_torch_compiles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    assert built_library() is None
    library = tmp_path / "gsplat_cuda" / "gsplat_cuda.so"
    library.parent.mkdir(exist_ok=True)
    library.touch()
    assert built_library() == library
