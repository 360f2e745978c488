"""What a GPU job needs of this machine, one line each: what there is, and what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from semsplat.errors import one_line
from semsplat.gpu import visible_gpus

MIN_FREE_GPU_MB = 2000
"""Of a GPU that others use less is left for a small scene."""
MIN_FREE_DISK_GB = 5


class Finding(NamedTuple):
    """One line."""

    about: str
    good: bool
    said: str

    def __str__(self) -> str:
        """Return the line."""
        return f"{'ok   ' if self.good else 'ERROR'} {self.about}: {self.said}"


def findings(folder: Path = Path()) -> list[Finding]:
    """Return what there is: disk and, where a GPU is visible, all that its jobs need."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    disk = Finding(
        "disk", free_gb >= MIN_FREE_DISK_GB, f"{free_gb:.0f} GB free in {folder.resolve()}"
    )
    if not visible_gpus():
        return [Finding("GPU", True, "none is visible: every job computes on the CPU"), disk]
    return [*_gpus(), _torch(), _nvcc(), _gsplat(), disk]


def _gpus() -> list[Finding]:
    """Return a line for each GPU that the driver knows."""
    fields = "index,name,driver_version,memory.free,memory.total"
    query = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        rows = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        todo = "install NVIDIA's driver, or set CUDA_VISIBLE_DEVICES to nothing"
        return [Finding("driver", False, f"nvidia-smi fails ({one_line(error)}); {todo}")]
    found = []
    for index, name, driver, free, total in (row.split(", ") for row in rows):
        enough = float(free) >= MIN_FREE_GPU_MB
        said = f"{name}, driver {driver}, {free} of {total} MB free"
        todo = "" if enough else "; others use it: wait, or name another in CUDA_VISIBLE_DEVICES"
        found.append(Finding(f"GPU {index}", enough, said + todo))
    return found


def _torch() -> Finding:
    """Return whether torch sees the GPU."""
    import torch

    if torch.version.cuda is None:
        todo = "it is built for CPUs; install it from a CUDA index, as docs/paper.md says"
        return Finding("torch", False, f"{torch.__version__}: {todo}")
    sees = torch.cuda.is_available()
    said = f"{torch.__version__} for CUDA {torch.version.cuda}"
    todo = "" if sees else " sees no GPU; the driver is too old for it: update that"
    return Finding("torch", sees, said + todo)


def _nvcc() -> Finding:
    """Return whether the compiler is of torch's CUDA; a library that is there needs none."""
    import torch

    from semsplat.splat.kernels_gpu import built_library

    wanted = (torch.version.cuda or "").split(".")[0]
    try:
        said = subprocess.run(["nvcc", "--version"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        said = ""
    match = re.search(r"release (\d+)\.(\d+)", said)
    found = f"CUDA {match[1]}.{match[2]}" if match else "none"
    good = bool(match and match[1] == wanted) or built_library() is not None
    todo = "" if good else f"; install the CUDA toolkit {wanted}.x and put its bin on PATH"
    return Finding("nvcc", good, found + todo)


def _gsplat() -> Finding:
    """Return whether gsplat's kernels are built."""
    from semsplat.splat.kernels_gpu import GB_PER_COMPILER, built_library, compilers

    if library := built_library():
        return Finding("gsplat", True, f"built, {library}")
    memory = f"{GB_PER_COMPILER} GB of memory each"
    return Finding(
        "gsplat",
        True,
        f"not built yet: the first job does, {compilers()} compilers at a time, {memory}",
    )
