"""A project in which every way of answering is trained, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.field.project import WRITERS, write_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder; nothing writes into it."""
    return write_project(tmp_path_factory.mktemp("project"), *WRITERS)


@pytest.fixture(autouse=True)
def _by_hand(by_hand: None) -> None:
    """Files of results are written by hand here; `tests/unit/test_verified.py` has the digests."""
