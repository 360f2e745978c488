"""What every part of the schema shares."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, le=1e9)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
OpenFraction = Annotated[float, Field(gt=0, lt=1)]
Pixels = Annotated[int, Field(ge=1, le=16_384)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Precision = Literal["float32", "float16", "bfloat16"]
"""What a GPU computes in."""


class Strict(BaseModel):
    """No unknown keys, no silent conversions, no changes afterwards; field docs are docstrings."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Kind(Strict):
    """Something of which there are several kinds, one file each."""

    kind: str
    """a file name in its package"""
    options: dict[str, Any]
    """the kind's options"""
