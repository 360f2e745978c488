"""How long the host takes to give a GPU a step's work: ``python -m tests.pretend_cuda.dispatch``.

Trainings run as the workflow runs them, over the GPU's code path, on so little that computing it is
nothing: 64 Gaussians, pictures of 24 x 18, harmonics of the highest degree, on tensors of the CPU.
gsplat's compiled kernels answer with zeros.  Printed is the median over steps that neither refine
nor log; a step of a GPU that is never waited for cannot be shorter.  ``--profile NAME`` prints
where it goes.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import torch
import yaml
from gsplat.cuda import _wrapper as wrapper
from torch import Tensor

from semsplat.bench.gpu.steps import SIZES, Bench
from semsplat.bench.gpu.trainings import job_of, places_of, reconstructed, short_geometry, trained
from semsplat.bench.gpu.world import write_plane
from semsplat.data.scene import load_scene
from semsplat.fit import losses
from semsplat.fit.trainee import Trainee
from semsplat.splat import cuda_backend, rasterize

STEPS, N, SCALE = 300, 64, 0.5
NAMES = "geometry", "clip_gs"


def _projection(means: Tensor, *rest: Any) -> tuple[Tensor | None, ...]:
    n, cameras = len(means), len(rest[4])
    of = partial(torch.ones, cameras, n)
    return of(2, dtype=torch.int32), of(2), of(), of(3), torch.zeros(0)


def _projection_back(means: Tensor, covars: None, quats: Tensor, scales: Tensor, *_: Any) -> Any:
    return torch.zeros_like(means), None, torch.zeros_like(quats), torch.zeros_like(scales), None


def _tiles(means: Tensor, *_: Any) -> tuple[Tensor, ...]:
    rows = torch.arange(means.shape[-2])
    return torch.ones(1, len(rows), dtype=torch.int32), rows, rows.int()


def _blend(means: Tensor, conics: Tensor, colors: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    width, height = rest[3], rest[4]
    of = partial(torch.zeros, len(means), height, width)
    return of(colors.shape[-1]), of(1), of(dtype=torch.int32)


def _blend_back(means: Tensor, conics: Tensor, colors: Tensor, opacities: Tensor, *_: Any) -> Any:
    return None, *map(torch.zeros_like, (means, conics, colors, opacities))


KERNELS: dict[str, Callable[..., Any]] = {
    "projection_ewa_3dgs_fused_fwd": _projection,
    "projection_ewa_3dgs_fused_bwd": _projection_back,
    "intersect_tile": _tiles,
    "intersect_offset": lambda _, images, width, height: torch.zeros(
        images, height, width, dtype=torch.int32
    ),
    "rasterize_to_pixels_3dgs_fwd": _blend,
    "rasterize_to_pixels_3dgs_bwd": _blend_back,
    "spherical_harmonics_fwd": lambda degree, dirs, coeffs, masks: torch.zeros_like(dirs),
    "spherical_harmonics_bwd": lambda bases, degree, dirs, coeffs, masks, v, of_dirs: (
        torch.zeros_like(coeffs), torch.zeros_like(dirs) if of_dirs else None,
    ),
}  # fmt: skip


def _ssim(image: Tensor, target: Tensor) -> Tensor:
    return losses.SsimByTorch.apply(image.movedim(-1, 0), target.movedim(-1, 0))


@contextmanager
def gpu_path() -> Iterator[None]:
    """Let tensors of the CPU go the GPU's way, with kernels that compute nothing."""
    with ExitStack() as stack:
        for place, name, stand_in in (
            (wrapper, "_make_lazy_cuda_func", KERNELS.__getitem__),
            (wrapper, "_make_lazy_cuda_obj", lambda name: name),
            (cuda_backend, "load_kernels", lambda: None),
            (rasterize, "rasterize_cpu", cuda_backend.rasterize_cuda),
            (losses, "ssim", _ssim),
        ):
            stack.enter_context(patch.object(place, name, stand_in))
        yield


def times(name: str, folder: Path) -> list[float]:
    """Return the seconds of every step of a training after its first pass over the views."""
    params = yaml.safe_load(Path("params.yaml").read_text())
    bench = Bench(folder, params, SIZES["small"], None, None, False, "cpu")
    write_plane(folder / "scene", SCALE, N)
    scene = load_scene(folder / "scene")
    geometry = short_geometry(bench, STEPS, refine=False).model_copy(update={"sh_every": 1})
    starts: list[float] = []
    inner = Trainee.set_rates

    def noting(trainee: Trainee, step: int) -> None:
        starts.append(time.perf_counter())
        inner(trainee, step)

    with patch.object(Trainee, "set_rates", noting), gpu_path():
        if name == "geometry":
            reconstructed(scene.scene_dir, job_of(geometry, 10 * STEPS), folder / name, "cpu")
        else:
            places = places_of(bench, name, scene, folder)
            trained(bench, name, geometry, places, folder / name, "cpu", 10 * STEPS)
    return [after - before for before, after in pairwise(starts)]


def main(arguments: list[str]) -> None:
    """Print milliseconds of a step of each training, of CLIP-GS before and after T."""
    torch.set_num_threads(1)
    profiled = arguments[1] if arguments[:1] == ["--profile"] else None
    for name in [profiled] if profiled else NAMES:
        with tempfile.TemporaryDirectory() as folder:
            profile = cProfile.Profile()
            found = (
                profile.runcall(times, name, Path(folder))
                if profiled
                else times(name, Path(folder))
            )
            if profiled:
                pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        half = len(found) // 2
        early, late = (1000 * median(part[20:]) for part in (found[:half], found[half:]))
        print(f"{name}: {early:.2f} ms, in the second half {late:.2f} ms", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
