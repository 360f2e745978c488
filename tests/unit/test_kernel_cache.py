"""Compiled kernels never outlive the sources they were compiled from, and serve every checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import semsplat
from semsplat import kernel_cache

SOURCE = Path(semsplat.__file__).parent
RUNS = """
import numpy as np
from semsplat.splat.cpu.bins import sum_pairs
sum_pairs(np.zeros(1, np.int32), np.ones((1, 2), np.float32), 1)
print(sum(sum_pairs.stats.cache_misses.values()), sum(sum_pairs.stats.cache_hits.values()))
"""


def misses_and_hits(checkout: Path, cache: Path) -> str:
    """Return how many kernels a process had to compile, and how many it found."""
    env = {**os.environ, "PYTHONPATH": str(checkout), "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", RUNS], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def checkout(root: Path) -> Path:
    """Copy the package's sources."""
    shutil.copytree(SOURCE, root / "semsplat", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def test_a_second_checkout_compiles_nothing_and_a_changed_helper_everything(tmp_path):
    first, second = checkout(tmp_path / "first"), checkout(tmp_path / "second")
    cache = tmp_path / "cache"
    assert misses_and_hits(first, cache) == "1 0"
    assert misses_and_hits(second, cache) == "0 1"
    helper = second / "semsplat/splat/cpu/project.py"
    helper.write_text(helper.read_text() + "\nADDED = 1\n")
    assert misses_and_hits(second, cache) == "1 0"
    assert misses_and_hits(first, cache) == "0 1"


def test_every_file_with_a_kernel_is_watched():
    watched = {path for pattern in kernel_cache.KERNELS for path in SOURCE.glob(pattern)}
    kernels = {p for p in SOURCE.rglob("*.py") if re.search(r"njit\(.*cache=True", p.read_text())}
    assert kernels and kernels <= watched


def test_a_folder_named_by_the_user_is_respected(monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/elsewhere")
    kernel_cache.use_kernel_cache()
    assert kernel_cache.os.environ["NUMBA_CACHE_DIR"] == "/elsewhere"


def test_of_two_processes_one_compiles(tmp_path):
    cache = tmp_path / "cache"
    wait = "from semsplat.kernel_cache import compiled_once\nwith compiled_once():\n"
    program = wait + indent(RUNS, "    ")
    env = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "XDG_CACHE_HOME": str(cache)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert sorted(program.communicate(timeout=120)[0].strip() for program in both) == ["0 1", "1 0"]


def test_without_a_place_for_locks_each_compiles_for_itself(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with kernel_cache.compiled_once():
        pass
