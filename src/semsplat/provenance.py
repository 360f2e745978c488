"""The provenance card ``run.json``: what a result was made from, by what, where and when."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

from semsplat.fingerprint import fingerprint
from semsplat.io import canonical_json, read_json, sha256_file, sha256_text, write_sealed

PACKAGES = ("semsplat", "torch", "gsplat", "numba", "numpy", "torchmetrics")


def run_key(config: Mapping[str, Any], inputs: Mapping[str, str], code: str) -> str:
    """Return the identity of a run: same parameters, inputs and code give the same key."""
    return sha256_text(canonical_json({"config": config, "inputs": inputs, "code": code}))[:32]


def _told_of_truth(inputs: Mapping[str, Path]) -> list[str]:
    """Return what the scene, and the results that a run learns from, took from the truth."""
    scene = read_json(inputs["scene"]) if "scene" in inputs else {}
    beside = [path.with_name("run.json") for name, path in inputs.items() if name != "scene"]
    cards = [read_json(path) for path in beside if path.is_file()]
    told = (said.get("privileges", []) for said in (scene, *cards))
    return list(dict.fromkeys(chain.from_iterable(told)))


class Card:
    """A run's card, opened when the run starts and written when it has ended well."""

    def __init__(
        self,
        phase: str,
        modules: str | tuple[str, ...],
        config: dict[str, Any],
        inputs: dict[str, Path],
    ) -> None:
        """Note the start.

        Args:
            phase: one of the six words.
            modules: whose imports are the run's code.
            config: everything that was chosen: parameters, data set, scene, setting, seed.
            inputs: name: file the result depends on; the scene's manifest is called "scene", and
                says what the run is told of the truth, as the cards beside the others do.
        """
        self.started = datetime.now(UTC)
        self.code = fingerprint(*([modules] if isinstance(modules, str) else modules))
        self.inputs = {name: sha256_file(path) for name, path in inputs.items()}
        self.key = run_key(config, self.inputs, self.code)
        self.phase, self.config = phase, config
        self.privileges = _told_of_truth(inputs)

    def write(self, path: Path, outputs: list[Path], **numbers: Any) -> None:
        """Write the card beside the files it is of.

        ``numbers`` are the run's own facts (seconds of training, counts).
        """
        ended = datetime.now(UTC)
        card = {
            "phase": self.phase,
            "run_key": self.key,
            "config": self.config,
            "code": self.code,
            "inputs": self.inputs,
            "privileges": self.privileges,
            "outputs": {output.name: sha256_file(output) for output in outputs},
            "numbers": {"peak_ram_mb": peak_ram_mb(), **numbers},
            "git": git_state(),
            "machine": machine(),
            "started": self.started.isoformat(timespec="seconds"),
            "ended": ended.isoformat(timespec="seconds"),
            "wall_s": round((ended - self.started).total_seconds(), 1),
            "command": ["python", "-m", f"semsplat.{self.phase}", *sys.argv[1:]],
        }
        write_sealed(path, card)


def model_facts(model_dir: Path, device: str) -> dict[str, Any]:
    """Return what a manifest of predictions says about the model."""
    return {"model": sha256_file(model_dir / "point_cloud.ply"), "device": device}


def peak_ram_mb() -> int:
    """Return the most memory that this process has held, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


WRITTEN = ("paper_figures", "README.md", "dvc.lock")
"""Tracked files that the workflow writes."""


def git_state() -> dict[str, Any]:
    """Return the commit and whether tracked files differ from it; nulls outside a repository.

    What the workflow itself writes is no difference: a second run would bear the mark of the first.
    """

    def ask(*words: str) -> str | None:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    try:
        others = [f":(top,exclude){path}" for path in WRITTEN]
        changed = ask("status", "--porcelain", "--untracked-files=no", "--", ":(top)", *others)
        return {
            "commit": ask("rev-parse", "HEAD"),
            "dirty": None if changed is None else bool(changed),
        }
    except FileNotFoundError:
        return {"commit": None, "dirty": None}


def machine() -> dict[str, Any]:
    """Return versions and hardware."""
    import torch

    cuda = torch.cuda.is_available()
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "cpu": _cpu_name(),
        "threads": len(os.sched_getaffinity(0)),
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "cuda": torch.version.cuda if cuda else None,
    }


def measured_on(device: str) -> dict[str, Any]:
    """Return what a benchmark says of where it was run."""
    import torch

    threads = torch.get_num_threads()
    return {"machine": machine(), "git": git_state(), "device": device, "torch_threads": threads}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
