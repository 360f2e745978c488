"""Verbs about what an experiment starts from: data, photographs, scenes, splats, the machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import tyro

from semsplat.commands import Repeated
from semsplat.data.manifest import verify_manifest
from semsplat.data.register.fetch import fetch, status_lines
from semsplat.doctor import findings
from semsplat.errors import SemsplatError
from semsplat.gpu import visible_gpus


def scene(path: Path, /) -> None:
    """Verify a canonical scene and say what it holds.

    Args:
        path: the folder with transforms.json.
    """
    from semsplat.data.scene import load_image, load_scene, scene_extent

    loaded = load_scene(path)
    if (path / "manifest.json").exists():
        verify_manifest(path)
    for frame in (*loaded.train, *loaded.test):
        load_image(frame)
    first = loaded.train[0]
    size = f"{first.width}x{first.height}"
    print(f"{path}: {len(loaded.train)} training and {len(loaded.test)} held-out views, {size} px")
    print(f"extent {scene_extent(loaded):.3f} units, points: {loaded.points_path or 'none'}")


def ply(path: Path, /) -> None:
    """Say what a Gaussian splat in INRIA's layout holds.

    Args:
        path: the .ply file.
    """
    from semsplat.splat.ply import read_ply

    gaussians = read_ply(path)
    means = gaussians["means"]
    low, high = (value.tolist() for value in (means.amin(0), means.amax(0)))
    print(
        f"{path}: {len(means)} Gaussians, harmonics {'used' if gaussians['shN'].any() else 'flat'}"
    )
    print(f"from {[round(v, 3) for v in low]} to {[round(v, 3) for v in high]}")


def data(
    what: Literal["status", "fetch"], names: tyro.conf.Positional[tuple[str, ...]] = (), /
) -> None:
    """Say what is there of all data and weights from elsewhere, or fetch some of it.

    Args:
        what: status needs no network; fetch brings files here, checks and unpacks them.
        names: what to fetch, by the names that status lists.
    """
    if (what == "fetch") != bool(names):
        raise SemsplatError("name what to fetch; status takes no names, it lists them all")
    for name in names:
        print(f"{name}: {fetch(name)}")
    if what == "status":
        print("\n".join(status_lines()))


def photos(
    folder: Path,
    /,
    name: str,
    sequential: bool = False,
    single_camera: bool = False,
    test_every: int = 8,
    seed: int = 0,
) -> None:
    """Find the cameras of your photographs, and say what to add to params.yaml.

    Args:
        folder: with the photographs; they are copied to photos/{name}/.
        name: of the scene.
        sequential: the photographs are a walk: match each with its neighbours by name only.
        single_camera: one camera and lens, nothing zoomed: fewer unknowns, so steadier.
        test_every: every n-th view is held out.
        seed: of what COLMAP draws at random.
    """
    from semsplat.data.photos.make import entry_lines, make_photos, report_lines

    _check_split(test_every)
    out = make_photos(folder, name, sequential=sequential, single_camera=single_camera, seed=seed)
    print("\n".join(report_lines(out)))
    print("\n".join(["add this to params.yaml:", *entry_lines(name, test_every)]))


def try_(
    folder: Path,
    /,
    name: str | None = None,
    prompts: str = "",
    click: Repeated = (),
    sequential: bool = False,
    single_camera: bool = False,
    test_every: int = 8,
    max_width_px: int = 640,
    steps_scaler: float = 0.05,
) -> None:
    """From your photographs to a trained scene that answers: cameras, training, page, viewer.

    Args:
        folder: with the photographs, or a nerfstudio folder.
        name: of the scene; my_ and the folder's name if none is given.
        prompts: what to ask for in the end, with commas between.
        click: NAME=VIEW:X,Y, a pixel of a photograph that shows an object; several may be given.
        sequential: the photographs are a walk: match each with its neighbours by name only.
        single_camera: one camera and lens, nothing zoomed: fewer unknowns, so steadier.
        test_every: every n-th view is held out.
        max_width_px: wider photographs are reduced.
        steps_scaler: of the papers' iteration counts; 0.05 are 1,500 steps of geometry.
    """
    from semsplat.field.clicks import parse_clicks
    from semsplat.trial.run import run_trial

    _check_split(test_every)
    if steps_scaler <= 0:
        raise SemsplatError(f"--steps-scaler {steps_scaler}: must be more than 0")
    asked = [prompt.strip() for prompt in prompts.split(",") if prompt.strip()]
    run_trial(
        folder,
        name or "my_" + re.sub(r"[^a-z0-9_]+", "_", folder.resolve().name.lower()).strip("_"),
        asked,
        parse_clicks([text for texts in click for text in texts]) if click else {},
        sequential=sequential,
        single_camera=single_camera,
        test_every=test_every,
        max_width_px=max_width_px,
        steps_scaler=steps_scaler,
    )


def doctor(build: bool = False) -> None:
    """Say whether this machine has what GPU jobs need, and what to do where it has not.

    Args:
        build: build gsplat's kernels as well, which the first job would do otherwise.
    """
    found = findings()
    print("\n".join(map(str, found)))
    if wrong := [one.about for one in found if not one.good]:
        raise SemsplatError(f"not ready for GPU jobs: {', '.join(wrong)}")
    if build:
        if not visible_gpus():
            raise SemsplatError("--build: no GPU is visible, and gsplat's kernels are for one")
        from semsplat.splat.kernels_gpu import load_kernels

        load_kernels()


def _check_split(test_every: int) -> None:
    """Raise where every view would be held out."""
    if test_every < 2:
        raise SemsplatError(f"--test-every {test_every}: 2 is the least, else no view trains")
