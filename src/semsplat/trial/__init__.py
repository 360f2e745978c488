"""``semsplat try``: from a folder of photographs to a trained scene that answers, in one command.

`entries` says what is added to params.yaml, in a file of its own beside the photographs; `run`
finds the cameras, lets Snakemake do everything else, and asks what was asked for.
"""
