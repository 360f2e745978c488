"""The tiny plane, as the unit tests have it."""

from __future__ import annotations

from tests.unit.conftest import by_hand, tiny_scene  # noqa: F401
from tests.unit.train.conftest import _by_hand, lessons  # noqa: F401
