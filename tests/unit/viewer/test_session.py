"""What one visitor of the viewer sees and asks, without a browser."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from semsplat import Field
from semsplat.data.poses import camera_centre
from semsplat.paths import train_dir
from semsplat.viewer.channels import Shown
from semsplat.viewer.session import NOBODY, Session
from tests.unit.field.project import LEFT

HEIGHT = 48


@pytest.fixture
def session(project: Path) -> Any:
    """A visitor 3 m before the balls, who sees CLIP-GS's features, and files that they got."""
    fields = {
        name: Field.open(project / train_dir("made", "balls", name, 0))
        for name in ("clip_gs", "cgc")
    }
    camera = SimpleNamespace(
        wxyz=np.array([1.0, 0, 0, 0]), position=np.array([0.0, 0, -3]), fov=0.6, aspect=1.5
    )
    sent: dict[str, bytes] = {}
    client = SimpleNamespace(camera=camera, send_file_download=sent.__setitem__)
    made = Session(client, fields, None, None)  # type: ignore[arg-type]
    made.sent = sent  # type: ignore[attr-defined]
    values = {"first": "clip_gs", "second": NOBODY, "share": 0.25, "channel": "features"}
    values |= {"text": "", "suffix": ".ply"}
    for name, value in values.items():
        setattr(made, f"_{name}", SimpleNamespace(value=value))
    made._says = SimpleNamespace(content="")
    return made


def test_a_visitor_sees_from_where_they_are(session: Any) -> None:
    seen = session.viewpoint(HEIGHT)
    assert (seen.width, seen.height) == (72, HEIGHT)
    np.testing.assert_allclose(camera_centre(seen.viewmat), [0, 0, -3])
    assert seen.K[1, 1] == pytest.approx(HEIGHT / (2 * np.tan(0.3)))


def test_two_settings_share_the_picture_at_the_border(session: Any) -> None:
    alone = session.picture(HEIGHT)
    camera = session.viewpoint(HEIGHT)
    np.testing.assert_array_equal(alone, session._shown["clip_gs"].picture(camera, "features"))
    session._second.value, border = "cgc", 72 // 4
    other = np.full_like(alone, 7)
    session._shown["cgc"].picture = lambda seen, channel: other
    both = session.picture(HEIGHT)
    assert not np.array_equal(alone, other)
    np.testing.assert_array_equal(both[:, : border - 1], alone[:, : border - 1])
    np.testing.assert_array_equal(both[:, border + 1 :], other[:, border + 1 :])


def test_what_is_asked_and_clicked_is_selected_in_all_that_is_shown(session: Any) -> None:
    session._first.value, session._second.value = "cgc", "clip_gs"
    session._select((LEFT[0] / 16, LEFT[1] / 12))
    assert session._channel.value == "selection"
    for shown in session._both:
        assert shown.selection.members.tolist() == [True, False]
    session._second.value, session._first.value, session._text.value = NOBODY, "clip_gs", " wall "
    session._ask()
    assert session._both[0].selection.members.tolist() == [False, True]
    assert "1 Gaussians, found as class 'wall'" in session._says.content


def test_what_cannot_be_done_is_said(session: Any) -> None:
    for action, words in {
        session._ask: "Type what to ask for.",
        session._save_selection: "Nothing is selected",
    }.items():
        session._when(action)(None)
        assert words in session._says.content and session._moved.is_set()
    assert not session.sent


def test_pictures_and_selections_are_files(session: Any, tmp_path: Path) -> None:
    session._save_picture()
    session._select((LEFT[0] / 16, LEFT[1] / 12))
    session._save_selection()
    assert session.sent["semsplat.png"].startswith(b"\x89PNG")
    (tmp_path / "object.ply").write_bytes(session.sent["object.ply"])
    shown = Shown(Field.open(tmp_path / "object.ply"))
    assert len(shown.field.trained.gaussians["means"]) == 1
