rule data:
    input:
        over(RUNS, "data/{dataset}/{scene}/manifest.json"),


# Fetching needs a network, which the nodes of a cluster may lack.
localrules:
    download,
    unpack,


# The receipt is the output, not the file: Snakemake would delete a file that a person put there.
rule download:
    output:
        "downloads/receipts/{entry}.json",
    log:
        "logs/data/register/{entry}.download.log",
    wildcard_constraints:
        entry="|".join(entries()),
    conda:
        "../envs/semsplat.yaml"
    message:
        "fetch and check {wildcards.entry}"
    shell:
        "python -m semsplat.job --threads={threads} data.register download"
        " --name {wildcards.entry:q} > {log:q} 2>&1"


rule unpack:
    input:
        "downloads/receipts/{entry}.json",
    output:
        "downloads/receipts/{entry}.unpacked.json",
    log:
        "logs/data/register/{entry}.unpack.log",
    wildcard_constraints:
        entry="|".join(entries()),
    conda:
        "../envs/semsplat.yaml"
    # So a folder that somebody removed is unpacked again, though its receipt is there.
    params:
        times_lost=lambda wildcards: times_lost(wildcards.entry),
    message:
        "unpack {wildcards.entry}"
    shell:
        "python -m semsplat.job --threads={threads} data.register unpack"
        " --name {wildcards.entry:q}"
        " --times-lost {params.times_lost} > {log:q} 2>&1"


rule draw_world:
    output:
        "data/native/{dataset}/{scene}/manifest.json",
    log:
        "logs/data/{dataset}/{scene}.draw.log",
    conda:
        "../envs/semsplat.yaml"
    threads: THREADS["draw_world"]
    params:
        options=options_json,
        out=subpath(output[0], parent=True),
        code=fingerprint("semsplat.data.datasets.procedural", "semsplat.data.world"),
    message:
        "draw {wildcards.dataset}/{wildcards.scene}"
    shell:
        "python -m semsplat.job --threads={threads} data draw"
        " --out {params.out:q} --options {params.options:q} > {log:q} 2>&1"


rule import_scene:
    input:
        scene_sources,
    output:
        "data/{dataset}/{scene}/manifest.json",
    log:
        "logs/data/{dataset}/{scene}.log",
    conda:
        "../envs/semsplat.yaml"
    params:
        importer=importer_name,
        others=scene_others,
        options=options_json,
        out=subpath(output[0], parent=True),
        code=lambda wildcards: fingerprint(
            f"semsplat.data.datasets.{importer_name(wildcards)}"
        ),
    message:
        "import {wildcards.dataset}/{wildcards.scene}"
    shell:
        "python -m semsplat.job --threads={threads} data import"
        " --importer-name {params.importer:q} --out {params.out:q}"
        " --options {params.options:q} > {log:q} 2>&1"
