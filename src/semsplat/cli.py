"""``semsplat``: verbs for people.  Rules call ``python -m semsplat.<phase>`` instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import tyro
import yaml

from semsplat.commands import OutFolder, run_one_of
from semsplat.data.manifest import verify_manifest
from semsplat.data.register.fetch import fetch, status_lines
from semsplat.doctor import findings
from semsplat.errors import SemsplatError
from semsplat.experiment.check import check as check_params
from semsplat.experiment.elsewhere import declared_keys, mistakes_in, unknown_scenes
from semsplat.experiment.mistakes import dangling
from semsplat.experiment.plan.screen import plan_lines
from semsplat.experiment.redraw import redrawn
from semsplat.experiment.runs import geometry_keys, training_keys
from semsplat.experiment.schema import Params
from semsplat.figures.referee.trace import Traced
from semsplat.gpu import claim_device, visible_gpus
from semsplat.io import parse_yaml
from semsplat.keys import parse_training
from semsplat.restore import restore


def check(params: Path = Path("params.yaml"), /) -> None:
    """Check a parameter file and list the runs and trainings of its suite.

    Args:
        params: the file to check.
    """
    checked = _checked(params, {})
    for run in geometry_keys(checked):
        print(f"{run.dataset}/{run.scene} seed {run.seed}")
    for training in training_keys(checked):
        print(f"{training.dataset}/{training.scene} seed {training.seed} {training.setting}")


def plan(suite: str, /, params: Path = Path("params.yaml")) -> None:
    """Say what a suite on real data takes, and what of it is missing here.

    Args:
        suite: its name.
        params: the parameter file.
    """
    lines = plan_lines(_checked(params, {"suite": suite}))
    print("\n".join(lines or [f"suite {suite} needs neither data nor weights from elsewhere"]))


def _checked(params: Path, override: dict[str, Any]) -> Any:
    """Return the checked parameters of a file."""
    try:
        config = parse_yaml(params.read_text())
    except FileNotFoundError:
        raise SemsplatError(f"{params}: no such file") from None
    except yaml.YAMLError as error:
        raise SemsplatError(
            f"{params}: not valid YAML ({str(error).splitlines()[-1].strip()})"
        ) from None
    return check_params({**config, **override})


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


def trace(address: str, /, params: Path = Path("params.yaml")) -> None:
    """Follow a number of a table back to code, parameters and data.

    Each file on the way is compared with its recorded digest, and the table with one drawn anew.

    Args:
        address: FIGURE.md:ROW:COLUMN, with the names of rows and columns in the CSV beside the
            table; of claims and costs FIGURE.md:ROW.
        params: the parameter file.
    """
    traced = Traced(address)
    print("\n".join(traced.lines))
    breaks = [
        *traced.breaks,
        *redrawn(traced.table, _checked(params, {"suite": traced.table.parent.name})),
    ]
    if breaks:
        raise SemsplatError("the chain is broken: " + "; ".join(dict.fromkeys(breaks)))


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


def external(
    what: Literal["check", "export"],
    names: tyro.conf.Positional[tuple[str, ...]] = (),
    /,
    params: Path = Path("params.yaml"),
    to: Path | None = None,
) -> None:
    """Check predictions that were made elsewhere, or write ours in the same layout.

    Args:
        what: check says what is missing or wrong, in one line each; export is the way back.
        names: of check, entries of the section external, or none for all of them; of export,
            dataset/scene/setting/seed of trainings of one setting.
        params: the parameter file.
        to: the folder that export adds the runs to, with the card.
    """
    if (what == "export") != (bool(names) and to is not None):
        raise SemsplatError("export needs trainings and --to; check takes entries alone")
    if what == "check":
        _check_external(_checked(params, {}), names)
        return
    from semsplat.evaluate.external.exchange import export_predictions

    assert to is not None
    for training in map(parse_training, names):
        print(f"{training}: written to {export_predictions(training, to)}")


def _check_external(checked: Params, names: tuple[str, ...]) -> None:
    """Print what is missing or wrong in predictions that were made elsewhere."""
    if lines := dangling(("external",), names, checked.external):
        raise SemsplatError("\n".join(lines))
    declared = declared_keys(checked, names or checked.external)
    for place in unknown_scenes(declared):
        print(f"{place}: not imported, so its views are not compared; first: snakemake data")
    if lines := mistakes_in(checked, declared, opened=True):
        raise SemsplatError("\n".join(lines))
    print(f"{len(declared)} runs: nothing is missing, nothing is wrong")


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

    if test_every < 2:
        raise SemsplatError(f"--test-every {test_every}: 2 is the least, else no view trains")
    out = make_photos(folder, name, sequential=sequential, single_camera=single_camera, seed=seed)
    print("\n".join(report_lines(out)))
    print("\n".join(["add this to params.yaml:", *entry_lines(name, test_every)]))


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


def main() -> None:
    """Run one verb."""
    verbs = (check, plan, doctor, scene, data, external, photos, ply, select, trace, restore)
    run_one_of({verb.__name__: verb for verb in verbs}, prog="semsplat")


if __name__ == "__main__":
    main()
