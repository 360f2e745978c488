"""Answers to prompts for a person: lines to read, pictures and splats to keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from semsplat.data.images import write_png
from semsplat.data.scene import Viewpoint
from semsplat.evaluate.grounding import interior
from semsplat.field.clicks import check_folder_name
from semsplat.field.field import Field
from semsplat.field.objects import write_splat_of
from semsplat.folders import atomic_dir
from semsplat.log import progress
from semsplat.viewer.channels import Channel, Shown


def answers(field: Field, prompts: Sequence[str], view: str | None) -> Iterator[str]:
    """Yield a line per prompt: where a view shows it, how relevant that is, how it was found.

    Args:
        field: of a method.
        prompts: what is asked for.
        view: the name of a view of the scene, None for the first held-out one.

    Raises:
        SemsplatError: a prompt has a word that the features' CLIP does not know, or is no class of
            a method that knows classes alone.
    """
    scene = field.known.opened_scene
    camera = field.camera(view) if view is not None else (scene.test or scene.train)[0]
    yield f"{field.method}, in view '{camera.name}' of {camera.width}x{camera.height} px:"
    for prompt in prompts:
        selection = field.select(prompt)
        mask = selection.mask(camera)
        where = (
            f"{mask.mean():.1%} of the picture around {interior(mask)}" if mask.any() else "unseen"
        )
        sure = _surest(field, camera, prompt)
        count = int(selection.members.sum())
        yield f"  {prompt}: {where}{sure}; {count} Gaussians, found {selection.found}"


def _surest(field: Field, camera: Viewpoint, prompt: str) -> str:
    """Return where relevancy is largest, in words; nothing of a method that has none."""
    if "relevancy" not in field.answers:
        return ""
    (relevancy,) = field.relevancy(camera, [prompt])
    y, x = np.unravel_index(int(relevancy.argmax()), relevancy.shape)
    return f", most relevant at ({x}, {y}): {relevancy.max():.2f}"


def write_answers(field: Field, prompts: Sequence[str], out: Path) -> None:
    """Write ``{prompt}/{view}.png`` of all held-out views, and ``{prompt}/object.ply``.

    The pictures show relevancy where the method has it, else the object; a prompt for which no
    Gaussian is found has no splat.
    """
    scene = field.known.opened_scene
    for prompt in prompts:
        check_folder_name(prompt, "prompt")
    with atomic_dir(out) as partial:
        for prompt in prompts:
            folder = partial / prompt
            selection = field.select(prompt)
            shown = Shown(field, prompt, selection)
            channel: Channel = "relevancy" if "relevancy" in shown.channels else "selection"
            for frame in progress(scene.test or scene.train, prompt):
                write_png(folder / f"{frame.name}.png", shown.picture(frame, channel))
            write_splat_of(field, selection, folder)
