"""Documentation of ``params.yaml``, generated from the models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from semsplat.experiment.schema import Params, options_of

HEAD = """# params.yaml

Generated from the models in `src/semsplat/params/` by `make docs`; do not edit.

Every key must be there: the code has no defaults. Iteration counts are the papers'; a suite's
`steps_scaler` multiplies them. Write small numbers as `1.0e-3`, because YAML reads `1e-3` as text.
`snakemake --config suite=NAME` switches the suite without editing the file.
"""


TITLES = {
    "importer": "datasets: options of importer `{}`",
    "segmenter": "features: options of segmenter `{}`",
    "labels": "features: labels of kind `{}`",
    "tracks": "features: tracks of kind `{}`",
    "method": "methods: options of `{}`",
    "figure": "figures: options of kind `{}`",
}
"""Of the options of each family's kinds, in their order."""


def markdown() -> str:
    """Return one table per section, and one for the options of every kind and method."""
    sections: dict[str, type[BaseModel]] = {"Top level": Params}
    for family, title in TITLES.items():
        sections |= {title.format(name): model for name, model in options_of(family).items()}
    tables = (_section(title, model.model_json_schema()) for title, model in sections.items())
    return "\n".join([HEAD, *tables])


def _section(title: str, schema: dict[str, Any]) -> str:
    """Return a heading and the table of all keys below a schema."""
    rows = list(_rows(schema, schema.get("$defs", {}), []))
    table = ["| key | type | meaning |", "|---|---|---|", *rows]
    return "\n".join([f"## {title}", "", *table, ""])


def _rows(schema: dict[str, Any], defs: dict[str, Any], prefix: list[str]) -> Iterator[str]:
    """Yield the rows of an object schema, depth first; ``*`` stands for names of your choice."""
    for key, field in schema.get("properties", {}).items():
        path = [*prefix, key]
        meaning = " ".join(field.get("description", "").split())
        yield f"| `{'.'.join(path)}` | {_type(field)} | {meaning} |"
        nested = field.get("additionalProperties", field)
        if nested is not field:
            path.append("*")
        for reference in _references(nested):
            yield from _rows(defs[reference.rsplit("/", 1)[-1]], defs, path)


def _references(field: Any) -> Iterator[str]:
    """Yield the models that a field may hold, whichever of several it is."""
    if isinstance(field, dict):
        if "$ref" in field:
            yield field["$ref"]
        for option in (*field.get("anyOf", ()), *field.get("oneOf", ())):
            yield from _references(option)


def _type(field: dict[str, Any]) -> str:
    """Return a short name for a field's type, with its limits."""
    if "enum" in field or "const" in field:
        return " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if "$ref" in field or "oneOf" in field or "additionalProperties" in field:
        return "section"
    limits = [
        f"{sign} {field[key]:g}"
        for key, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if key in field
    ]
    name = {"array": "list", "null": "`null`", "object": "section"}.get(
        field["type"], field["type"]
    )
    return f"{name} {', '.join(limits)}".strip()
