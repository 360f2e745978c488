"""The live viewer: a page on this machine alone, drawn by the project's own rasteriser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import viser

from semsplat.data.scene import Scene, Viewpoint
from semsplat.errors import SemsplatError
from semsplat.field.cameras import looking_at, up_of
from semsplat.field.field import Field
from semsplat.geometry.trained import Trained
from semsplat.viewer.session import Session

HOST = "127.0.0.1"
LEAST_SPREAD = 1e-3  # scene units


def start(fields: Mapping[str, Field], scene: Scene | None, port: int) -> viser.ViserServer:
    """Serve fields by their names, at a port or the next free one, until it is stopped.

    Args:
        fields: at least one.
        scene: whose cameras are drawn and where a visitor starts; without one they start where all
            Gaussians can be seen.
        port: on 127.0.0.1.
    """
    server = viser.ViserServer(host=HOST, port=port, label="semsplat", verbose=False)
    first = next(iter(fields.values())).trained
    home = scene.train[0] if scene else overview(first)
    server.scene.set_up_direction(tuple(up_of(scene)) if scene else (0.0, -1.0, 0.0))
    sessions: dict[int, Session] = {}

    @server.on_client_connect
    def _(client: viser.ClientHandle) -> None:
        sessions[client.client_id] = Session(client, fields, home, scene)
        sessions[client.client_id].begin()

    @server.on_client_disconnect
    def _(client: viser.ClientHandle) -> None:
        sessions.pop(client.client_id).end()

    return server


def fields_and_scene(paths: list[Path], device: str) -> tuple[dict[str, Field], Scene | None]:
    """Return what paths name: trainings, geometries and splats by their names, and one scene.

    The scene is the folder among them that has a transforms.json, else the first training's.

    Raises:
        SemsplatError: nothing to draw is named, a path is neither, or two have the same name.
    """
    scenes = [path for path in paths if (path / "transforms.json").is_file()]
    fields: dict[str, Field] = {}
    for path in (path for path in paths if path not in scenes):
        opened = Field.open(path, device, approximate=True)
        name = name_of(opened)
        if name in fields:
            raise SemsplatError(f"{path}: is named twice; name each training once")
        fields[name] = opened
    if not fields or len(scenes) > 1:
        raise SemsplatError("name at least one training or .ply, and at most one scene")
    own = next((one.scene for one in fields.values() if one.scene), None)
    return fields, Scene.open(scenes[0]) if scenes else own


def name_of(field: Field) -> str:
    """Return how a field is called in lists: setting and seed, or the file's name."""
    parts = field.path.absolute().parts
    return field.path.name if field.path.is_file() else f"{parts[-2]} ({parts[-1]})"


def overview(trained: Trained) -> Viewpoint:
    """Return a camera that looks at the middle of Gaussians from twice their spread."""
    means = trained.gaussians["means"].cpu().numpy().astype(np.float64)
    middle = np.median(means, axis=0)
    spread = float(np.percentile(np.linalg.norm(means - middle, axis=1), 90))
    position = middle - np.array([0.0, 0.0, 2 * max(spread, LEAST_SPREAD)])
    return looking_at("overview", position, middle, np.array([0.0, -1.0, 0.0]), 1.0, (640, 480))
