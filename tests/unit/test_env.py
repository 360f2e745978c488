"""One lock pins everything; its views and its users agree with it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "envs/requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))


def name_of(requirement: str) -> str:
    """Return a requirement's name as the lock writes it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_the_conda_view_is_made_from_the_lock():
    spec = importlib.util.spec_from_file_location("conda_view", ROOT / "envs/conda_view.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "envs/semsplat.yaml").read_text() == module.conda_view(LOCK)
    assert len(re.findall(r'^      - "', module.conda_view(LOCK), re.MULTILINE)) == len(
        re.findall(r"^[a-z0-9-]+==", LOCK, re.MULTILINE)
    )


def test_the_lock_names_no_index_and_no_address():
    assert "://" not in LOCK
    assert not re.search(r"^\s*(-i|-f|--\S*index\S*|--find-links)\b", LOCK, re.MULTILINE)


def test_every_pin_has_a_hash():
    pins = re.split(r"^(?=[a-z0-9-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert len(pins) > 50
    assert all("--hash=sha256:" in pin for pin in pins)


@pytest.mark.parametrize("group", ["", *PROJECT["optional-dependencies"]])
def test_every_requirement_is_in_the_lock(group: str):
    optional = PROJECT["optional-dependencies"]
    wanted = {name_of(r) for r in (optional[group] if group else PROJECT["dependencies"])}
    assert wanted and wanted <= PINNED


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_lists_what_it_can_do():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    assert {"reproduce", "test", "lint", "site"} <= listed
