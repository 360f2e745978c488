"""What imports read; no rules here."""

from pathlib import Path

from semsplat.data.datasets import importer
from semsplat.data.register import entries as register
from semsplat.data.register.fetch import is_unpacked, times_lost


def importer_name(wildcards):
    """Return the importer of a data set."""
    return PARAMS.datasets[wildcards.dataset].importer


def scene_sources(wildcards):
    """Return the files an import reads: a drawn world, or what lies on disk."""
    if hasattr(importer(importer_name(wildcards)), "draw"):
        return f"data/native/{wildcards.dataset}/{wildcards.scene}/manifest.json"
    return tracked(_files_of_scene(wildcards))


def scene_others(wildcards):
    """Return what stands for the files an import reads and Snakemake cannot name."""
    drawn = hasattr(importer(importer_name(wildcards)), "draw")
    return [] if drawn else untracked(_files_of_scene(wildcards))


def _files_of_scene(wildcards):
    source = importer(importer_name(wildcards))
    merged = runs.scene_options(PARAMS, wildcards.dataset, wildcards.scene)
    options = source.Options.model_validate(merged)
    return registered_sources(options) or source.sources(options)


def registered_sources(options):
    """Return the receipt of what the register unpacks for an import; not where a person did.

    The files themselves are unknown before, so the receipt with the archive's hash stands for them.
    """
    root = Path(getattr(options, "root", "."))
    name = register.entry_of(root)
    if name is None or (root.exists() and not is_unpacked(name)):
        return []
    return [str(register.unpacked_receipt_of(name))]
