"""The phases of a trial, one after the other; what is finished is not done again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from semsplat.data.photos.collect import stems
from semsplat.data.photos.make import REPORT, ROOT, make_photos, report_lines
from semsplat.errors import SemsplatError
from semsplat.evaluate.grounding import Place
from semsplat.experiment.check import check
from semsplat.experiment.runs import merged
from semsplat.io import atomic_path, parse_yaml
from semsplat.paths import train_dir
from semsplat.trial.clicks import on_views
from semsplat.trial.entries import PHOTOS, Config, dataset_of, entries, real_models

PARAMS = Path("params.yaml")
HEAD = """# What semsplat try adds to params.yaml; the same again:
# snakemake --cores all --configfile {}
"""


def run_trial(
    folder: Path,
    name: str,
    prompts: Sequence[str],
    clicks: Mapping[str, Place],
    *,
    sequential: bool,
    single_camera: bool,
    max_width_px: int,
    **chosen: Any,
) -> None:
    """Make a scene of photographs, train on it and say what there is to see.

    Args:
        folder: with photographs, or with nerfstudio's transforms.json, which has cameras.
        name: of the scene, its settings and its suite.
        prompts: what is asked for at the end, where a text can be asked.
        clicks: on objects in the photographs, by their names.
        sequential, single_camera: as `make_photos` takes them.
        max_width_px: wider photographs are reduced, and clicks with them.
        chosen: as `entries` takes them.

    Raises:
        SemsplatError: photographs of which there can be no scene, clicks on none of them, a name
            that is taken, mistakes in params.yaml, or a job of Snakemake's that failed.
    """
    if not PARAMS.is_file():
        raise SemsplatError("no params.yaml here; go to the project's folder first")
    base = parse_yaml(PARAMS.read_text())
    clicks = on_views(folder, clicks, max_width_px)
    added = entries(check(base), folder, name, clicks, max_width_px=max_width_px, **chosen)
    params = check(merged(base, added))  # mistakes are told before anything runs
    dataset = dataset_of(folder)
    if dataset == PHOTOS:
        _find_cameras(folder, name, sequential=sequential, single_camera=single_camera)
    else:
        print(f"1 of 3: cameras are those of {folder / 'transforms.json'}")
    told = _write(ROOT / f"{name}.yaml", added)
    trained = [train_dir(dataset, name, setting, 0) for setting in added["settings"]]
    _snakemake(told, [folder / "run.json" for folder in trained])
    print("\n".join(_said(name, trained, prompts, real=bool(real_models(params)))))


def _find_cameras(folder: Path, name: str, *, sequential: bool, single_camera: bool) -> None:
    """Write ``photos/{name}/``, or go on with the one that is there of these photographs."""
    out = ROOT / name
    if not (out / REPORT).is_file():
        print("1 of 3: cameras, by structure from motion")
        make_photos(folder, name, sequential=sequential, single_camera=single_camera, seed=0)
    elif stems(folder) != sorted(path.stem for path in (out / "images").iterdir()):
        raise SemsplatError(f"{out}: is of other photographs; choose another --name")
    print("\n".join(report_lines(out)))


def _write(path: Path, added: Config) -> Path:
    """Write the further parameters; raise where others are there already."""
    if path.exists() and parse_yaml(path.read_text()) != added:
        raise SemsplatError(
            f"{path}: says something else than these words do; run it as its first lines say,"
            " remove it, or choose another --name"
        )
    with atomic_path(path) as partial:
        text = yaml.safe_dump(added, sort_keys=False, allow_unicode=True)
        partial.write_text(HEAD.format(path) + text)
    return path


def _snakemake(told: Path, trained: Sequence[Path]) -> None:
    """Let Snakemake make all of a suite, and trainings that no figure shows."""
    print("2 of 3: scene, geometry, features, training, figures, by Snakemake", flush=True)
    words = ["--cores", "all", "--configfile", str(told), "--", "all", *map(str, trained)]
    done = subprocess.run([sys.executable, "-m", "snakemake", *words], check=False)
    if done.returncode:
        raise SemsplatError("a job failed, see above; the same command goes on where it stopped")


def _said(name: str, trained: list[Path], prompts: Sequence[str], *, real: bool) -> Iterator[str]:
    """Yield what was found, and what to do next."""
    from semsplat.field.field import Field
    from semsplat.viewer.queries import answers

    yield "3 of 3: what came out"
    if prompts and real:
        for folder in trained:
            yield from answers(Field.open(folder), prompts, None)
    elif prompts:
        yield (
            f"{', '.join(prompts)}: without a real CLIP and SAM on disk no text can be asked of"
            " photographs (semsplat data status); click on things in the viewer instead"
        )
    yield f"page: paper_figures/{name}/index.html"
    yield f"look around, and click: semsplat view {' '.join(map(str, trained))}"
