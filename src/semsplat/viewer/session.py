"""One visitor of the viewer: what they ask, and the loop that draws it for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import viser
from viser import transforms

from semsplat.data.scene import Scene, Viewpoint
from semsplat.errors import SemsplatError
from semsplat.field.cameras import pinhole
from semsplat.field.field import Field
from semsplat.field.formats import SUFFIXES
from semsplat.field.selection import Selection
from semsplat.figures.pictures import Picture
from semsplat.viewer.channels import CHANNELS, Channel, Shown, legend, split
from semsplat.viewer.frustums import add_frustums, go_to

MOVING_PX, STILL_PX = 240, 600
"""Heights of what is drawn while the camera moves and once it stands."""
REST_S = 0.25
"""How long a camera stands still before it is drawn large."""
NOBODY = "nothing"
ONE_AT_A_TIME = threading.Lock()
"""The rasteriser takes all cores, and Numba's threads may not be asked by two at once."""


class Session:
    """Controls, and a thread that draws whenever the camera or a control has moved."""

    def __init__(
        self,
        client: viser.ClientHandle,
        fields: Mapping[str, Field],
        home: Viewpoint,
        scene: Scene | None,
    ) -> None:
        """Take a visitor, what there is to see by name, where they start, and whose cameras."""
        self._client, self._home, self._scene = client, home, scene
        self._shown = {name: Shown(one) for name, one in fields.items()}
        self._moved, self._gone = threading.Event(), threading.Event()
        self.drawn = 0  # pictures so far

    def begin(self) -> None:
        """Put the visitor at the start, add the controls, and draw until they leave."""
        go_to(self._client, self._home)
        self._add_controls()
        self._client.camera.on_update(lambda _: self._moved.set())
        self._client.scene.on_click()(self._click)
        self._moved.set()
        threading.Thread(target=self._loop, daemon=True).start()

    def _add_controls(self) -> None:
        """Add the panel."""
        gui, names = self._client.gui, list(self._shown)
        self._first = gui.add_dropdown("show", names)
        self._channel = gui.add_dropdown("as", CHANNELS)
        self._second = gui.add_dropdown("beside", [NOBODY, *names])
        self._share = gui.add_slider("border", 0.0, 1.0, 0.01, 0.5)
        self._text = gui.add_text("ask", "", hint="a prompt, as: mug")
        ask = gui.add_button("ask", hint="relevancy, or the object of that name")
        self._says = gui.add_markdown("Click on an object to select it.")
        picture = gui.add_button("save picture")
        self._suffix = gui.add_dropdown("file", SUFFIXES)
        save = gui.add_button("save selection")
        if self._scene is not None:
            frustums = add_frustums(self._client, self._scene)
            cameras = gui.add_checkbox("cameras", False, hint="click on one to go there")
            cameras.on_update(lambda _: _show(frustums, cameras.value))
        for control in (self._first, self._channel, self._second, self._share):
            control.on_update(lambda _: self._moved.set())
        ask.on_click(self._when(self._ask))
        picture.on_click(self._when(self._save_picture))
        save.on_click(self._when(self._save_selection))

    def _when(self, action: Callable[[], None]) -> Callable[[Any], None]:
        """Return what a control does: an action, and a new picture; an error is told in a line."""

        def act(_: Any) -> None:
            self._say(action)
            self._moved.set()

        return act

    def _say(self, action: Callable[[], None]) -> None:
        """Do something alone on the machine's cores; what cannot be done is told the visitor."""
        with ONE_AT_A_TIME:
            try:
                action()
            except SemsplatError as error:
                self._says.content = str(error)

    @property
    def _both(self) -> list[Shown]:
        """What is shown: one or two fields."""
        names = [self._first.value, self._second.value]
        return [self._shown[name] for name in names if name != NOBODY]

    def _ask(self) -> None:
        """Ask what is shown for a prompt."""
        prompt = self._text.value.strip()
        if not prompt:
            raise SemsplatError("Type what to ask for.")
        self._found([(shown, shown.field.select(prompt)) for shown in self._both])
        for shown in self._both:
            shown.prompt = prompt
        relevant = all("relevancy" in shown.channels for shown in self._both)
        self._show_as("relevancy" if relevant else "selection")

    def _show_as(self, channel: Channel) -> None:
        """Turn the control to a channel."""
        self._channel.value = channel  # type: ignore[misc]  # viser gives it a setter

    def _found(self, selections: Sequence[tuple[Shown, Selection]]) -> None:
        """Take what was selected in each field, and tell how."""
        for shown, selection in selections:
            shown.selection = selection
        told = [f"{int(s.members.sum())} Gaussians, found {s.found}" for _, s in selections]
        self._says.content = "; ".join(told)

    def _click(self, event: viser.SceneClickEvent) -> None:
        """Select what is clicked on."""
        self._when(lambda: self._select(event.screen_pos))(event)

    def _select(self, place: tuple[float, float]) -> None:
        """Select what is at a place of the picture, each of its sides in [0, 1]."""
        camera = self.viewpoint(STILL_PX)
        pixel = int(place[0] * camera.width), int(place[1] * camera.height)
        self._found([(shown, shown.field.select((camera, pixel))) for shown in self._both])
        self._show_as("selection")

    def _save_picture(self) -> None:
        """Send what is shown as a file."""
        encoded = cv2.imencode(".png", self.picture(STILL_PX)[..., ::-1])[1].tobytes()
        self._client.send_file_download("semsplat.png", encoded)

    def _save_selection(self) -> None:
        """Send the selected Gaussians as a file."""
        shown = self._both[0]
        if shown.selection is None:
            raise SemsplatError("Nothing is selected: click, or ask for something.")
        with TemporaryDirectory() as folder:
            path = Path(folder, f"object{self._suffix.value}")
            shown.field.save_ply(path, shown.selection)
            self._client.send_file_download(path.name, path.read_bytes())

    def viewpoint(self, height_px: int) -> Viewpoint:
        """Return where the visitor looks from, at a height of the picture."""
        camera = self._client.camera
        pose = transforms.SE3.from_rotation_and_translation(
            transforms.SO3(camera.wxyz), camera.position
        )
        size = max(1, round(height_px * camera.aspect)), height_px
        viewmat = pose.inverse().as_matrix().astype(np.float64)
        return Viewpoint("the viewer", viewmat, pinhole(camera.fov, size), *size)

    def picture(self, height_px: int) -> Picture:
        """Return what the visitor sees."""
        camera, channel = self.viewpoint(height_px), self._channel.value
        first, *second = (shown.picture(camera, channel) for shown in self._both)
        return split(first, second[0], self._share.value) if second else first

    def end(self) -> None:
        """Draw no more: the visitor has left."""
        self._gone.set()
        self._moved.set()

    def _loop(self) -> None:
        """Draw small while things move, and large once when they rest, until the visitor leaves."""
        while self._moved.wait() and not self._gone.is_set():
            self._moved.clear()
            self._say(lambda: self._draw(MOVING_PX))
            if not self._moved.wait(REST_S):
                self._say(lambda: self._draw(STILL_PX))

    def _draw(self, height_px: int) -> None:
        """Show the visitor what they see."""
        self._client.scene.set_background_image(self.picture(height_px), format="jpeg")
        self.drawn += 1
        if self._channel.value == "classes":
            self._says.content = _legend(self._both)


def _legend(shown: Sequence[Shown]) -> str:
    """Return the names of the classes that were drawn, in their colours, as Markdown."""
    return " ".join(
        f'<span style="color:{colour}">■</span> {name}' for name, colour in legend(shown)
    )


def _show(handles: Sequence[Any], visible: bool) -> None:
    """Show or hide things in the scene."""
    for handle in handles:
        handle.visible = visible
