"""Mistakes in parameters, put into words: one line each, with the key and the fix."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from semsplat.errors import did_you_mean

NUMBER_AS_TEXT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")

Where = tuple[str, ...]


def no_such(where: Where, what: str, name: str, known: list[str]) -> str:
    """Return the line for a name that stands nowhere."""
    return f"{'.'.join(where)}.{what}: no {what} '{name}'{hint(name, known)}"


def dangling(where: Where, names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return a line for each name that is not defined."""
    listed = list(known)
    unknown = [name for name in names if name not in listed]
    return [f"{'.'.join(where)}: '{name}' is not defined{hint(name, listed)}" for name in unknown]


def twice(where: Where, items: Sequence[Any]) -> list[str]:
    """Return a line for each item that stands more than once."""
    again = dict.fromkeys(item for i, item in enumerate(items) if item in items[:i])
    return [f"{'.'.join(where)}: '{item}' stands twice; remove one" for item in again]


def mistakes(model: type[BaseModel], values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return pydantic's description of each mistake in the values of a model."""
    try:
        model.model_validate(values, strict=True)
    except ValidationError as error:
        return details(error)
    return []


def details(error: ValidationError) -> list[dict[str, Any]]:
    """Return pydantic's description of each mistake of a failed validation."""
    return [dict(e) for e in error.errors(include_url=False)]


def hint(name: str, known: list[str]) -> str:
    """Return the closest known name, or all of them where none is close."""
    return did_you_mean(name, known) or "; known: " + ", ".join(known)


def line(error: dict[str, Any], model: type[BaseModel], prefix: Where) -> str:
    """Turn one of pydantic's errors into one line; ``model`` stands at ``prefix``."""
    where = ".".join(str(part) for part in (*prefix, *error["loc"])) or "the whole file"
    value = error["input"]
    if error["type"] == "extra_forbidden":
        known = _fields(model, error["loc"])
        return f"{where}: unknown key{hint(str(error['loc'][-1]), known)}"
    if error["type"] == "missing":
        return f"{where}: missing; the file must be complete"
    if isinstance(value, str) and NUMBER_AS_TEXT.fullmatch(value):
        return f"{where}: '{value}' is text in YAML; write {_as_number(value, error['type'])}"
    shown = f" (got {value!r})" if isinstance(value, str | int | float | bool | None) else ""
    said = error["msg"].removeprefix("Value error, ")  # pydantic's words before a validator's own
    return f"{where}: {said[0].lower()}{said[1:]}{shown}"


def _as_number(text: str, error_type: str) -> str:
    """Return what YAML reads as the number that was meant: a dot and a signed exponent it needs."""
    if error_type.startswith("int") and float(text).is_integer():
        return str(int(float(text)))
    mantissa, exponent = text.lower().split("e")
    sign = "" if exponent[0] in "+-" else "+"
    return f"{float(mantissa)}e{sign}{exponent}"


def _fields(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Return the field names known where the last part of ``loc`` stands."""
    current: list[type[BaseModel]] = [model]
    for part in loc[:-1]:
        annotations = [
            m.model_fields[str(part)].annotation for m in current if part in m.model_fields
        ]
        current = [m for a in annotations for m in _models(a)] or current
    return [name for m in current for name in m.model_fields]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the pydantic models inside a type such as ``dict[str, A | B]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if isinstance(annotation, types.GenericAlias | types.UnionType) or typing.get_args(annotation):
        return [m for part in typing.get_args(annotation) for m in _models(part)]
    return []
