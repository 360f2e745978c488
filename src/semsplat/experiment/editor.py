"""The JSON schema by which editors check ``params.yaml``: options of every kind included.

The models say of options no more than that they are a mapping, because a kind is named beside them.
Here each name brings the schema of its own options.  What overrides something may leave out keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from semsplat.experiment.schema import FAMILIES, Params, options_of

Schema = dict[str, Any]
PART = "Part"
"""At the end of a definition's name: the same, but no key has to be there."""
DEFS = "#/$defs/"


def json_schema() -> str:
    """Return the JSON schema that editors use for completion, help and checks."""
    families = {family: options_of(family) for family in FAMILIES}
    every: list[type[BaseModel]] = [
        Params,
        *(m for each in families.values() for m in each.values()),
    ]
    found, joint = models_json_schema([(model, "validation") for model in every])
    options = {
        family: {name: found[model, "validation"] for name, model in models.items()}
        for family, models in families.items()
    }
    whole = _with_parts(_with_options(joint["$defs"], options))
    top = whole.pop("Params")
    top["$defs"] = {name: whole[name] for name in _reached(top, whole)}
    return json.dumps(top, indent=1, sort_keys=True) + "\n"


def _with_options(defs: Schema, options: dict[str, Schema]) -> Schema:
    """Return the definitions, where the name of a kind decides what its options may be."""
    kind = defs.pop("Kind")
    for family, holder in (("segmenter", "Recipe"), ("labels", "Teacher"), ("tracks", "Teacher")):
        defs[f"{family.title()}Kind"] = _chosen(kind, "kind", {"options": options[family]})
        defs[holder]["properties"][family]["$ref"] = f"{DEFS}{family.title()}Kind"
    defs["Figure"] = _chosen(defs["Figure"], "kind", {"options": options["figure"]})
    parts = {name: _part(ref) for name, ref in options["importer"].items()}
    scenes = {name: {"additionalProperties": part} for name, part in parts.items()}
    defs["Dataset"] = _chosen(defs["Dataset"], "importer", {"options": parts, "scenes": scenes})
    overrides = {name: _part(ref) for name, ref in options["method"].items()}
    defs["Setting"] = _chosen(defs["Setting"], "method", {"override": overrides})
    top = defs["Params"]["properties"]
    defs["Setting"]["properties"]["geometry"] |= _part({"$ref": top["geometry"]["$ref"]})
    top["methods"] |= {"properties": options["method"], "additionalProperties": False}
    override = defs["Suite"]["properties"]["override"]
    sections = override.pop("propertyNames")["enum"]
    override |= {"properties": {key: _part(top[key]) for key in sections}}
    override["additionalProperties"] = False
    return defs


def _chosen(definition: Schema, key: str, choices: dict[str, Schema]) -> Schema:
    """Return a definition in which the name under ``key`` decides the schema of other keys.

    Where the name is left out, as in an override, what any of the names allows is allowed.
    """
    definition = deepcopy(definition)
    names = sorted(next(iter(choices.values())))
    definition["properties"][key]["enum"] = names
    rules = [
        {
            "if": {"properties": {key: {"const": name}}, "required": [key]},
            "then": {"properties": {place: each[name] for place, each in choices.items()}},
        }
        for name in names
    ]
    anyone = {place: {"anyOf": list(each.values())} for place, each in choices.items()}
    unnamed = {"if": {"not": {"required": [key]}}, "then": {"properties": anyone}}
    return definition | {"allOf": [*rules, unnamed]}


def _with_parts(defs: Schema) -> Schema:
    """Return the definitions, and each of them once more without required keys."""
    parts = {
        f"{name}{PART}": _part({key: v for key, v in definition.items() if key != "required"})
        for name, definition in defs.items()
    }
    return defs | parts


def _part(schema: Any) -> Any:
    """Return a schema that refers to definitions without required keys.

    A list stays as it is, because an override replaces it.  Several of the kinds in a union may
    fit a part.
    """
    if isinstance(schema, list):
        return [_part(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    part = {}
    for key, value in schema.items():
        if key == "$ref":
            part[key] = value if value.endswith(PART) else f"{value}{PART}"
        elif key != "discriminator":
            part["anyOf" if key == "oneOf" else key] = value if key == "items" else _part(value)
    return part


def _reached(schema: Any, defs: Schema) -> list[str]:
    """Return the names of the definitions to which a schema leads."""
    known: list[str] = []
    queue = list(_references(schema))
    while queue:
        name = queue.pop()
        if name not in known:
            known.append(name)
            queue += _references(defs[name])
    return known


def _references(schema: Any) -> Iterator[str]:
    """Yield the names of the definitions that stand in a schema."""
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        yield schema["$ref"].removeprefix(DEFS)
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            yield from _references(part)
