"""Fingerprints change with what is computed, and with nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from semsplat import fingerprint as module
from semsplat.fingerprint import fingerprint

FILES = {
    "__init__.py": "",
    "main.py": '"""Main."""\nfrom toy.helper import twice\n\nRATE = 0.1\n',
    "helper.py": """
from toy.maths import deep
from toy.sub import leaf

def twice(x):
    '''Double.'''
    from toy.late import offset  # when it is needed
    return 2 * x + offset + deep + leaf.VALUE
""",
    "maths.py": "import os\nimport toy.plain\ndeep = 1\n",
    "plain.py": "PLAIN = 1\n",
    "late.py": "offset = 1\n",
    "sub/__init__.py": "SUB = 1\n",
    "sub/leaf.py": "VALUE = 1\n",
    "other.py": "OTHER = 1\n",
    "record.py": "class Record:\n    rate: float\n    '''of what'''\n    steps: int\n",
}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package "toy" in place of semsplat."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "PACKAGE", "toy")
    monkeypatch.setattr(module, "KEPT", tmp_path / "kept")
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    """A process reads each file once; a test edits them."""
    for cached in (module.fingerprint, module._facts, module._imports):
        cached.cache_clear()


def edited(toy: Path, name: str, old: str, new: str, *entry: str) -> tuple[str, str]:
    """Return the fingerprints before and after an edit."""
    before = fingerprint(*entry)
    text = (toy / name).read_text()
    assert old in text
    (toy / name).write_text(text.replace(old, new, 1))
    forget()
    return before, fingerprint(*entry)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("helper.py", "  # when it is needed", ""),
        ("helper.py", "'''Double.'''", "'''Twice as much.'''"),
        ("helper.py", "    '''Double.'''\n", ""),
        ("main.py", '"""Main."""\n', ""),
        ("main.py", "RATE = 0.1\n", "\n\n# tuned\nRATE   =   0.10\n"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(
    toy: Path, name: str, old: str, new: str
) -> None:
    before, after = edited(toy, name, old, new, "toy.main")
    assert before == after


def test_texts_under_attributes_do_not_count_but_attributes_do(toy: Path) -> None:
    before, after = edited(toy, "record.py", "'''of what'''", "'''of descent'''", "toy.record")
    assert before == after
    before, after = edited(toy, "record.py", "steps: int", "steps: float", "toy.record")
    assert before != after


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("main.py", "0.1", "0.2"),
        ("helper.py", "2 * x", "3 * x"),
        ("maths.py", "1", "2"),  # imported by what is imported
        ("plain.py", "1", "2"),  # as import a.b
        ("late.py", "1", "2"),  # inside a function
        ("sub/leaf.py", "1", "2"),  # as from package import module
        ("sub/__init__.py", "1", "2"),  # runs when its module is imported
    ],
)
def test_a_change_in_what_is_imported_counts(toy: Path, name: str, old: str, new: str) -> None:
    before, after = edited(toy, name, old, new, "toy.main")
    assert before != after


def test_an_unrelated_module_does_not_count(toy: Path) -> None:
    before, after = edited(toy, "other.py", "1", "2", "toy.main")
    assert before == after
    before, after = edited(toy, "other.py", "2", "3", "toy.main", "toy.other")
    assert before != after


HALVES = """from toy import other
from toy.sub import leaf
LIMIT = 3
def first():
    return LIMIT + helper()
def helper():
    return leaf.VALUE
def second():
    return other.OTHER
"""


@pytest.mark.parametrize(
    ("name", "old", "new", "counts"),
    [
        ("halves.py", "LIMIT = 3", "LIMIT = 4", True),
        ("halves.py", "return leaf.VALUE", "return -leaf.VALUE", True),
        ("sub/leaf.py", "VALUE = 1", "VALUE = 2", True),
        ("halves.py", "return other.OTHER", "return -other.OTHER", False),
        ("other.py", "OTHER = 1", "OTHER = 2", False),
    ],
)
def test_of_a_function_only_what_it_uses_counts(
    toy: Path, name: str, old: str, new: str, counts: bool
) -> None:
    (toy / "halves.py").write_text(HALVES)
    before, after = edited(toy, name, old, new, "toy.halves:first")
    assert (before != after) == counts


def test_modules_that_import_each_other_end(toy: Path) -> None:
    (toy / "plain.py").write_text("import toy.main\n")
    assert fingerprint("toy.main") != fingerprint("toy.plain", "toy.other")
    assert fingerprint("toy.main", "toy.plain") == fingerprint("toy.plain", "toy.main")


def closure(entry: str) -> set[str]:
    """Return all modules that a fingerprint covers."""
    found: set[str] = set()
    queue = [entry]
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue += module._imports(name)
    return found


def test_a_reconstruction_depends_on_what_fits_and_not_on_what_comes_after() -> None:
    covered = closure("semsplat.geometry.__main__")
    assert {"semsplat.fit.losses", "semsplat.splat.cpu.blend", "semsplat.params.base"} <= covered
    later = ("semsplat.figures", "semsplat.track", "semsplat.evaluate", "semsplat.params.evaluate")
    assert [name for name in covered if name.startswith(later)] == []
    assert "semsplat.experiment.schema" not in covered  # it holds the keys of every phase


def test_scores_do_not_depend_on_how_views_are_rendered() -> None:
    scorers = ("semsplat.evaluate.jobs:score", "semsplat.evaluate.answers.colours:score")
    covered = set().union(*map(closure, scorers))
    assert "semsplat.evaluate.protocols.rgb_held_out" in covered
    assert not any(name.startswith(("semsplat.splat", "semsplat.fit")) for name in covered)


def test_another_process_parses_only_what_changed(toy, monkeypatch):
    before = fingerprint("toy.main")
    parsed = []
    compute = module._computed
    monkeypatch.setattr(module, "_computed", lambda *a: parsed.append(a) or compute(*a))
    forget()
    assert fingerprint("toy.main") == before and not parsed
    (toy / "maths.py").write_text(FILES["maths.py"].replace("deep = 1", "deep = 2"))
    forget()
    assert fingerprint("toy.main") != before and len(parsed) == 1


def test_what_is_kept_is_not_needed(toy):
    before = fingerprint("toy.main")
    for path in (toy / "kept").rglob("*.json"):
        path.write_text(path.read_text()[:-5])
    forget()
    assert fingerprint("toy.main") == before
