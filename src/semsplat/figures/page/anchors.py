"""Where on the page things are."""

from __future__ import annotations

from semsplat.keys import parse_training


def anchor(trainings: str) -> str:
    """Return where the page shows what ``dataset/scene/setting/seed ...`` were made from.

    The training itself, or the narrowest group that holds them all.
    """
    keys = [parse_training(text) for text in trainings.split()]
    settings, places = {t.setting for t in keys}, {t.place for t in keys}
    if len(keys) == 1:
        return f"run-{keys[0]}"
    if len(settings) > 1:
        return "runs"
    return f"run-{keys[0].place}/{keys[0].setting}" if len(places) == 1 else f"set-{settings.pop()}"
