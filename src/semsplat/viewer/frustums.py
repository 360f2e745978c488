"""The cameras of a scene, drawn in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import viser
from viser import transforms

from semsplat.data.scene import Frame, Scene, Viewpoint
from semsplat.field.cameras import fov_of

SHARE = 0.02  # of the distance of the farthest camera from their middle
LEAST = 1e-3  # scene units
TRAINED_ON, HELD_OUT = (0, 114, 178), (213, 94, 0)


def pose_of(camera: Viewpoint) -> transforms.SE3:
    """Return the camera's pose, camera to world."""
    return transforms.SE3.from_matrix(np.linalg.inv(camera.viewmat))


def add_frustums(client: viser.ClientHandle, scene: Scene) -> list[Any]:
    """Draw a scene's cameras, unseen at first; a click on one goes there.

    Held-out ones have another colour.
    """
    centres = np.stack([pose_of(frame).translation() for frame in scene.frames])
    farthest = float(np.linalg.norm(centres - centres.mean(0), axis=1).max())
    held_out = {frame.name for frame in scene.test}
    return [
        _add(client, frame, max(SHARE * farthest, LEAST), frame.name in held_out)
        for frame in scene.frames
    ]


def _add(client: viser.ClientHandle, frame: Frame, scale: float, held_out: bool) -> Any:
    """Draw one camera."""
    pose = pose_of(frame)
    handle = client.scene.add_camera_frustum(
        f"/cameras/{frame.name}",
        fov=fov_of(frame),
        aspect=frame.width / frame.height,
        scale=scale,
        color=HELD_OUT if held_out else TRAINED_ON,
        wxyz=pose.rotation().wxyz,
        position=pose.translation(),
        visible=False,
    )
    handle.on_click(lambda _: go_to(client, frame))
    return handle


def go_to(client: viser.ClientHandle, camera: Viewpoint) -> None:
    """Put a visitor where a camera is."""
    pose = pose_of(camera)
    with client.atomic():
        client.camera.wxyz, client.camera.position = pose.rotation().wxyz, pose.translation()
        client.camera.fov = fov_of(camera)
