"""Prompts that ask for objects or for parts, and why either has no score."""

from __future__ import annotations

from collections.abc import Sequence

from semsplat.data.annotate import part_prompts
from semsplat.data.scene import Frame, Scene, load_semantics
from semsplat.evaluate.cases import Case

KINDS = ("", "object_", "part_")


def parts_of(scene: Scene) -> set[str]:
    """Return the prompts that ask for parts; none where ``semantics.json`` tells no parts."""
    if not (scene.scene_dir / "semantics.json").is_file():
        return set()
    return set(part_prompts(load_semantics(scene).get("objects", [])))


def of_kind(cases: Sequence[Case], kind: str, parts: set[str]) -> list[Case]:
    """Return the cases of a granularity: all, or objects or parts where these are told."""
    if not kind:
        return list(cases)
    return [case for case in cases if parts and (case.prompt in parts) == (kind == "part_")]


def why_absent(frames: Sequence[Frame], split: str, kind: str, parts: set[str]) -> str:
    """Return why there is no mean over the cases of these frames, if there is none.

    Args:
        frames: of the split.
        split: the word for it: held-out or training.
        kind: of `KINDS`.
        parts: the prompts that ask for parts.
    """
    if not any(frame.annotations_path for frame in frames):
        return f"no {split} view is annotated"
    if kind and not parts:
        return "semantics.json does not tell parts from objects"
    what = {"object_": "an object", "part_": "a part"}.get(kind, "anything")
    return f"no annotated {split} view shows {what}"
