rule geometry:
    input:
        over(RUNS, "results/geometry/{dataset}/{scene}/{seed}/run.json"),


rule reconstruct:
    input:
        "data/{dataset}/{scene}/manifest.json",
    output:
        ply="results/geometry/{dataset}/{scene}/{seed}/point_cloud.ply",
        curve="results/geometry/{dataset}/{scene}/{seed}/metrics.jsonl",
        card="results/geometry/{dataset}/{scene}/{seed}/run.json",
    log:
        "logs/geometry/{dataset}/{scene}/{seed}.log",
    priority: PRIORITY["reconstruct"]
    conda:
        "../envs/semsplat.yaml"
    # As trainings: two reconstructions of one thread each end sooner than one after the other.
    threads: 1
    resources:
        gpu=NODE.gpus,
        mem_mb=NODE.mem_mb,
        runtime=RUNTIME["reconstruct"],
        # Resources, because a changed resource reruns nothing.
        save_every_s=str(PARAMS.training.save_every_s),
        followers=lambda wildcards: len(FOLLOWERS[geometry_key(wildcards)]),
    params:
        config=geometry_config,
        code=fingerprint("semsplat.geometry.__main__"),
        scene=subpath(input[0], parent=True),
        out=subpath(output.card, parent=True),
        scratch="scratch/geometry/{dataset}/{scene}/{seed}",
        records="scratch/records/{dataset}/{scene}/{seed}",
    message:
        "reconstruct {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "python -m semsplat.job --threads={threads} geometry"
        " --scene {params.scene:q} --out {params.out:q}"
        " --scratch {params.scratch:q} --config {params.config:q}"
        " --save-every-s {resources.save_every_s}"
        " --records {params.records:q} --followers {resources.followers} > {log:q} 2>&1"
