"""Compiled kernels never outlive the sources they were compiled from."""

from __future__ import annotations

import shutil
from pathlib import Path

import semsplat
from semsplat import kernel_cache


def folder_for(root: Path, monkeypatch) -> str:
    monkeypatch.setattr(kernel_cache, "__file__", str(root / "kernel_cache.py"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    kernel_cache.use_kernel_cache()
    return kernel_cache.os.environ["NUMBA_CACHE_DIR"]


def test_a_changed_helper_gets_a_fresh_folder_and_the_same_sources_the_same(tmp_path, monkeypatch):
    source = Path(semsplat.__file__).parent
    for folder in kernel_cache.KERNEL_FOLDERS:
        shutil.copytree(
            source / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    first = folder_for(tmp_path, monkeypatch)
    assert folder_for(tmp_path, monkeypatch) == first
    helper = tmp_path / "splat/cpu/bins.py"
    helper.write_text(helper.read_text().replace("TILE = 8", "TILE = 16"))
    assert folder_for(tmp_path, monkeypatch) != first


def test_a_folder_named_by_the_user_is_respected(monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/elsewhere")
    kernel_cache.use_kernel_cache()
    assert kernel_cache.os.environ["NUMBA_CACHE_DIR"] == "/elsewhere"
