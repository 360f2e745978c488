"""Folders of a user's own kinds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml

from semsplat import plugins
from semsplat.cli import project
from semsplat.errors import SemsplatError
from semsplat.experiment.check import check, with_plugins
from semsplat.experiment.runs import training_keys
from semsplat.figures.published import FOLDER, digest_of, load_table, table_names
from semsplat.fingerprint import _facts, _imports, fingerprint
from semsplat.train.methods import method, method_names
from tests.unit.data.scene_helpers import one_line_error

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/example_plugin"
BASE = yaml.safe_load((ROOT / "params.yaml").read_text())
METHOD = "semsplat.train.methods.class_scores"


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No plugin is known before or after a test."""
    monkeypatch.setenv(plugins.VARIABLE, "")
    paths = {package: import_module(package).__path__ for package in plugins.PLACES.values()}
    before = {package: list(path) for package, path in paths.items()}
    forget_code()
    yield
    for package, path in paths.items():
        path[:] = before[package]
    sys.modules.pop(METHOD, None)
    forget_code()
    load_table.cache_clear()


def forget_code() -> None:
    """Let files be read anew, as another process would."""
    for cached in (fingerprint, _facts, _imports):
        cached.cache_clear()


def a_plugin(folder: Path, **files: str) -> Path:
    """Write files, whose names have __ for / and _dot_ for a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_its_method_its_table_and_its_suite_are_as_others() -> None:
    known = with_plugins({**BASE, "plugins": [str(EXAMPLE)], "suite": "class_scores"})
    params = check(known)
    assert "class_scores" in method_names() and "class_scores" in table_names()
    keys = sorted(str(key) for key in training_keys(params))
    assert keys == ["procedural/room/class_scores/0", "procedural/room/clipgs_b/0"]
    assert list(load_table("class_scores").rows) == ["three numbers", "scores"]
    assert method("class_scores").ANSWERS == ("colours", "classes")


def test_without_it_nothing_of_it_is_known() -> None:
    assert "class_scores" not in method_names() and "class_scores" not in table_names()
    with one_line_error("no method 'class_scores'"):
        method("class_scores")
    assert with_plugins({**BASE}) == BASE


def test_its_code_and_its_tables_are_part_of_digests(tmp_path: Path) -> None:
    text = (EXAMPLE / "methods/class_scores.py").read_text()
    table = (EXAMPLE / "tables/class_scores.yaml").read_text()
    prints = []
    for index, (code, said) in enumerate(
        [(text, table), (text.replace("0.01", "0.02"), table), (text, f"{table} ")]
    ):
        folder = a_plugin(tmp_path / str(index), methods__class_scores_dot_py=code)
        a_plugin(folder, tables__class_scores_dot_yaml=said)
        os.environ[plugins.VARIABLE] = str(folder)
        forget_code()
        prints.append((fingerprint(METHOD), digest_of(FOLDER)))
    (code, tables), (other_code, same), (same_code, other) = prints
    assert same == tables != other and same_code == code != other_code


def test_what_it_imports_of_the_package_is_part_of_its_fingerprint(tmp_path: Path) -> None:
    folder = a_plugin(tmp_path, methods__class_scores_dot_py="from semsplat import errors\n")
    plugins.use_plugins([folder])
    alone = fingerprint(METHOD)
    a_plugin(tmp_path, methods__class_scores_dot_py="from semsplat import conventions\n")
    forget_code()
    assert fingerprint(METHOD) != alone


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ("no folder with any of answers",)),
        ({"methds__x_dot_py": ""}, ("no folder with any of answers",)),
        ({"methds__x_dot_py": "", "params_dot_yaml": "{}"}, ("methds", "did you mean 'methods'")),
    ],
)
def test_what_is_no_plugin_is_one_line(tmp_path: Path, files: dict, words: tuple) -> None:
    with one_line_error(*words):
        plugins.use_plugins([a_plugin(tmp_path / "p", **files)])


def test_names_of_the_package_stay_its_own(tmp_path: Path) -> None:
    plugins.use_plugins([a_plugin(tmp_path, methods__gags_dot_py="")])
    with one_line_error("gags.py", "there is a gags already; rename it"):
        method_names()


def test_a_table_of_the_package_stays_its_own(tmp_path: Path) -> None:
    plugins.use_plugins([a_plugin(tmp_path, tables__cgc_table1_dot_yaml="paper: null")])
    with one_line_error("there is a table cgc_table1 already"):
        load_table("cgc_table1")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("suite: smoke", ("suite: is in params.yaml already",)),
        ("methods: {gags: {dim: 3}}", ("methods.gags.dim: is in params.yaml already",)),
        ("a: [", ("not valid YAML",)),
    ],
)
def test_entries_are_added_and_none_is_changed(tmp_path: Path, said: str, words: tuple) -> None:
    plugins.use_plugins([a_plugin(tmp_path, params_dot_yaml=said)])
    with pytest.raises(SemsplatError) as caught:
        plugins.with_entries(BASE)
    assert all(word in str(caught.value) for word in words)
    assert str(tmp_path / "params.yaml") in str(caught.value)


def test_several_are_used_together_and_what_was_known_stays(tmp_path: Path) -> None:
    first, second = (a_plugin(tmp_path / n, params_dot_yaml="{}") for n in "ab")
    plugins.use_plugins([first])
    plugins.use_plugins([second, first])
    assert plugins.plugin_folders() == [first, second]


def test_the_example_trains_and_knows_classes(tiny_scene, tmp_path: Path, monkeypatch) -> None:
    from semsplat.bench.gpu.world import write_lessons_of
    from tests.unit.train.test_run import accuracy, trained

    monkeypatch.setattr("semsplat.verified.recorded", lambda _: {})
    plugins.use_plugins([EXAMPLE])
    lessons = write_lessons_of(tmp_path / "lessons", tiny_scene)
    options = yaml.safe_load((EXAMPLE / "params.yaml").read_text())["methods"]["class_scores"]
    told = {"method": "class_scores", "options": {**options, "lr": 0.05}}
    folder = trained(tiny_scene, lessons, tmp_path / "out", **told)
    assert accuracy(folder, tiny_scene, lessons) > 0.9
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss_cross_entropy"] for line in lines]
    assert np.mean(losses[-3:]) < 0.5 * losses[0]


def test_the_documents_show_the_example_as_it_is() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/plugins.md").read_text(), re.DOTALL)
    assert code == (EXAMPLE / "methods/class_scores.py").read_text()
    assert len([line for line in code.splitlines() if line]) <= 40


def test_snakemake_and_semsplat_know_it(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "semsplat.cli", "check", "--plugins", str(EXAMPLE)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    words = [sys.executable, "-m", "snakemake", "-n", "--cores", "1"]
    words += ["--directory", str(tmp_path), "-s", str(ROOT / "Snakefile")]
    given = f"plugins=[{EXAMPLE}]", "suite=class_scores"
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "src").symlink_to(ROOT / "src")
    done = subprocess.run([*words, "--config", *given], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "results/train/procedural/room/class_scores/0/run.json" in done.stdout


@pytest.mark.parametrize("named", ["plugins: my_plugin", "plugins: 5", "plugins: [3]"])
def test_plugins_that_are_no_list_of_folders_are_one_line(tmp_path: Path, named: str) -> None:
    (tmp_path / "params.yaml").write_text(named)
    with pytest.raises(SemsplatError, match=r"^params\.yaml: plugins: no list of folders; write"):
        project.check(tmp_path / "params.yaml")
    with pytest.raises(SystemExit):
        with_plugins(yaml.safe_load(named))


def test_plugins_behind_options_of_their_own_all_count(tmp_path: Path) -> None:
    for given in ((("nowhere",), (str(EXAMPLE),)), (("nowhere", str(EXAMPLE)),)):
        with pytest.raises(SemsplatError, match=r"^nowhere: no folder with any of"):
            project.check(ROOT / "params.yaml", plugins=given)


@pytest.mark.parametrize("text", [b"", b"- a", b"5", b"\xff\xfe"])
def test_a_file_that_holds_no_parameters_is_one_line(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "p.yaml").write_bytes(text)
    for path in (tmp_path / "p.yaml", tmp_path):
        with pytest.raises(SemsplatError, match=r"has no keys|not UTF-8|no such file"):
            project.check(path)
