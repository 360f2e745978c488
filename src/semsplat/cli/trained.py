"""Verbs about a trained scene: look at it, ask it, take it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from semsplat.commands import OutFolder, Repeated
from semsplat.errors import SemsplatError
from semsplat.gpu import claim_device

if TYPE_CHECKING:
    from semsplat.field.field import Field

Prompts = tyro.conf.Positional[tuple[str, ...]]
Paths = tyro.conf.Positional[tuple[Path, ...]]


def view(what: Paths, /, port: int = 8080) -> None:
    """Look around in trained scenes in a browser, ask them, click on things; on this machine alone.

    Args:
        what: trainings (results/train/...), geometries or .ply files; and a scene (data/...), if
            its cameras shall be shown and it is not that of the trainings.
        port: of the page on 127.0.0.1.
    """
    import time

    if not 0 <= port < 2**16:
        raise SemsplatError(f"--port {port}: ports are 0 to {2**16 - 1}, and 0 is any free one")
    with claim_device() as device:
        from semsplat.viewer.server import fields_and_scene, start

        server = start(*fields_and_scene(list(what), device), port)
        print(f"open http://{server.get_host()}:{server.get_port()} in a browser; Ctrl-C ends")
        try:
            while True:
                time.sleep(1)
        finally:
            server.stop()


def query(
    model: Path, prompts: Prompts, /, view: str | None = None, to: OutFolder | None = None
) -> None:
    """Ask a trained scene for things by text: where they are, and how sure the answer is.

    Args:
        model: a training, results/train/{dataset}/{scene}/{setting}/{seed}.
        prompts: what to ask for.
        view: the view in which answers are told; the first held-out one if none is named.
        to: a folder to write, with pictures of all held-out views and a splat of each object.
    """
    if not prompts:
        raise SemsplatError('name what to ask for, as in: semsplat query MODEL "a mug"')
    with _opened(model) as field:
        from semsplat.viewer.queries import answers, write_answers

        print("\n".join(answers(field, prompts, view)))
        if to is not None:
            write_answers(field, prompts, to)
            print(f"written to {to}")


def render(
    model: Path,
    out: OutFolder,
    /,
    cameras: str = "test",
    what: Literal["colours", "depth", "classes", "features", "relevancy", "selection"] = "colours",
    prompt: str = "",
    kind: Literal["png", "exr", "npz", "mp4"] = "png",
) -> None:
    """Draw a trained scene from many cameras.

    Args:
        model: a training, a geometry, or a .ply file.
        out: the folder to write.
        cameras: train, test, all, flight (a way along the training cameras), the name of a view, or
            a .json of nerfstudio's camera paths.
        what: the channel.
        prompt: what relevancy and selection are of.
        kind: pictures, numbers (exr, npz), or a film.
    """
    from semsplat.folders import atomic_dir

    if bool(prompt.strip()) != (what in ("relevancy", "selection")):
        raise SemsplatError(
            f"--what {what}: relevancy and selection, and no other, take a --prompt"
        )
    with _opened(model) as field:
        from semsplat.viewer.channels import Shown
        from semsplat.viewer.films import cameras_named, write_pictures

        selection = field.select(prompt) if what == "selection" else None
        shown = Shown(field, prompt, selection)
        with atomic_dir(out) as partial:
            write_pictures(shown, cameras_named(field, cameras), what, kind, partial)
    print(f"written to {out}")


def export(
    model: Path,
    out: Path,
    /,
    object: str | None = None,
    colours: Literal["own", "classes"] = "own",
) -> None:
    """Write a trained scene, or one object of it, as a splat for other viewers.

    Args:
        model: a training, a geometry, or a .ply file.
        out: the file to write: .ply (INRIA's layout), .splat, .spz, .pt (gsplat's viewer), or, in a
            new folder, config.yml (ns-viewer --load-config).
        object: a text that names what is written alone.
        colours: the photographs', or those of classes.
    """
    if out.exists():
        raise SemsplatError(f"{out}: is there already; name another file")
    with _opened(model) as field:
        selection = field.select(object) if object is not None else None
        field.save_ply(out, selection, colours)
    print(f"written to {out}")


def select(model: Path, out: OutFolder, /, click: Repeated = ()) -> None:
    """Select objects by clicks: masks of every view, and the Gaussians of each as a splat.

    Args:
        model: a training of a method that answers clicks, as CGC's,
            results/train/{dataset}/{scene}/{setting}/{seed}.
        out: the folder to write: NAME/masks/{frame}.png and NAME/object.ply.
        click: NAME=VIEW:X,Y, a pixel of a view that shows the object; several may be given.
    """
    from semsplat.field.clicks import parse_clicks

    clicks = parse_clicks([text for texts in click for text in texts])
    with _opened(model) as field:
        from semsplat.field.objects import write_objects

        write_objects(field, clicks, out)
    print(f"written to {out}: {', '.join(clicks)}")


@contextmanager
def _opened(model: Path) -> Iterator[Field]:
    """Open a training, a geometry or a splat on a free device; torch comes after the device."""
    with claim_device() as device:
        from semsplat.field.field import Field

        yield Field.open(model, device)
