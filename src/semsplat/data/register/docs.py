"""The register as a table of ``docs/data.md``."""

from __future__ import annotations

from semsplat.data.register.entries import Entry, entries

BEGIN = "<!-- generated from the register by `make docs`; do not edit -->\n"
END = "<!-- end of what is generated -->\n"


def with_register(text: str) -> str:
    """Return the page with the table between its two marks written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + markdown() + END + after


def markdown() -> str:
    """Return a table of what each data set needs, and one of models."""
    parts = []
    for kind, title in (("data", "data set"), ("model", "model")):
        rows = [_row(name, entry) for name, entry in entries().items() if entry.kind == kind]
        head = f"| name | {title} | what | size | licence | how it is had | place |"
        parts += ["", head, "|---|---|---|---|---|---|---|", *rows]
    return "\n".join([*parts, "", ""])


def _row(name: str, entry: Entry) -> str:
    scenes = f": {', '.join(entry.scenes)}" if entry.scenes else ""
    licence = entry.licence or "not stated"
    size = f"{entry.size_bytes:,}" if entry.size_bytes else "not published"
    cells = [f"`{name}`", entry.of + scenes, entry.about, size, licence]
    folder = f"{entry.folder}/" if entry.folder else None
    places = ", ".join(f"`{place}`" for place in (entry.path, folder) if place)
    return "| " + " | ".join([*cells, _how(entry), places]) + " |"


def _how(entry: Entry) -> str:
    """Say how a file is had, and how it is known."""
    if not entry.urls:
        reasons = "; ".join(text for text in (entry.terms, entry.manual) if text)
        return f"by hand, {entry.link}: {reasons}" if entry.link else f"by hand: {reasons}"
    digits = entry.sha256 or entry.sha256_start
    known = f"sha256 `{digits[:8]}...`" if digits else "no hash published, the size is checked"
    return f"fetched; {known}"
