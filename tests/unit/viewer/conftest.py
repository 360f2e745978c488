"""Two balls that every method knows, and a browser."""

from __future__ import annotations

from tests.unit.field.conftest import _by_hand, project

__all__ = ["_by_hand", "project"]
