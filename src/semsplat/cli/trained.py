"""Verbs about a trained scene: ask it, look at it, take it elsewhere."""

from __future__ import annotations

from pathlib import Path

from semsplat.commands import OutFolder
from semsplat.gpu import claim_device


def select(scene: Path, model: Path, out: OutFolder, /, click: list[str]) -> None:
    """Select objects by clicks: masks of every view, and the Gaussians of each as a splat.

    Args:
        scene: the canonical scene, data/{dataset}/{scene}.
        model: a training whose Gaussians hold features for that,
            results/train/{dataset}/{scene}/cgc/{seed}.
        out: the folder to write: NAME/masks/{frame}.png and NAME/object.ply.
        click: NAME=VIEW:X,Y, a pixel of a view that shows the object; several may be given.
    """
    from semsplat.evaluate.clicked_objects import parse_clicks, write_objects

    clicks = parse_clicks(click)
    with claim_device() as device:
        write_objects(scene, model, out, clicks, device)
    print(f"written to {out}: {', '.join(clicks)}")
