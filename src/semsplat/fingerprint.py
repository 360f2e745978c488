"""Fingerprints of code: what a phase computes with, without comments, docstrings and layout."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from semsplat.io import write_json
from semsplat.kernel_cache import user_cache
from semsplat.plugins import file_of

ROOT = Path(__file__).parent
PACKAGE = "semsplat"
KEPT = user_cache() / "code"
"""What is known of source files, by their content: half of a dry run went into parsing them."""
PARSER = f"{sys.version_info[:2]} {Path(__file__).read_text(encoding='utf-8')}"


@cache
def fingerprint(*modules: str) -> str:
    """Return a short hash over the syntax trees of the modules and all they import in the package.

    Of ``module:function`` only the function counts, and what it uses of its file.  Imports are
    followed wherever they stand, also inside functions.  Absolute imports only, which is the rule
    in this package.
    """
    seen: set[str] = set()
    queue = list(modules)
    while queue:
        module = queue.pop()
        if module not in seen:
            seen.add(module)
            queue += _imports(module)
    digest = hashlib.sha256()
    for module in sorted(seen):
        digest.update(f"{module}\n{_facts(module).digest}\n".encode())
    return digest.hexdigest()[:16]


def _path(module: str) -> Path | None:
    """Return the source file of a module of the package, or None if it is none."""
    base = ROOT.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return file_of(module)


class Facts(NamedTuple):
    """What the fingerprint takes of a file."""

    digest: str  # of the syntax tree
    names: tuple[str, ...]  # all that it imports, in the package or not


@cache
def _facts(entry: str) -> Facts:
    """Return the facts of a module, or of one function of it; kept over processes."""
    module, _, function = entry.partition(":")
    path = _path(module)
    assert path is not None, f"no module {module}"
    source = path.read_text(encoding="utf-8")
    key = hashlib.sha256(f"{PARSER}\n{function}\n{source}".encode()).hexdigest()
    known = KEPT / key[:2] / f"{key[2:]}.json"
    try:
        digest, names = json.loads(known.read_text())
        return Facts(digest, tuple(names))
    except (OSError, ValueError):  # not there, or cut off
        facts = _computed(source, function)
    with suppress(OSError):  # a home that cannot be written to
        known.parent.mkdir(parents=True, exist_ok=True)
        write_json(known, facts)
    return facts


def _computed(source: str, function: str) -> Facts:
    tree = _tree(source, function)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return Facts(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(sorted(names)))


def _tree(source: str, function: str) -> ast.Module:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
    if function:
        tree.body = _used_by(function, tree.body)
    return tree


def _used_by(function: str, statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a file that define a function, and what it uses of the others."""
    owner = {name: place for place, part in enumerate(statements) for name in _defined(part)}
    queue, used = [owner[function]], set()
    while queue:
        place = queue.pop()
        if place not in used:
            used.add(place)
            nodes = ast.walk(statements[place])
            names = {node.id for node in nodes if isinstance(node, ast.Name)}
            queue += [owner[name] for name in names & owner.keys()]
    return [statements[place] for place in sorted(used)]


def _defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a file defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {(alias.asname or alias.name).split(".")[0] for alias in aliases}
        case ast.Assign() | ast.AnnAssign():
            names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            return {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return set()


def _is_text(node: ast.stmt) -> bool:
    """Tell docstrings, and the texts under attributes."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Return the modules of the package that a module imports, with their parent packages."""
    names = _facts(module).names
    inside = {name for name in names if name.split(".")[0] == PACKAGE and _path(name)}
    parents = {".".join(n.split(".")[:i]) for n in inside for i in range(2, n.count(".") + 1)}
    return tuple(sorted(inside | parents))
