# The networks that the package ships; `all` never trains them.


rule retrain_demo_networks:
    input:
        expand("results/networks/{network}/run.json", network=["clip", "sam"]),


rule draw_pictures:
    output:
        f"{NETWORK_PICTURES}/{{purpose}}_{{shard}}.npz",
    log:
        "logs/networks/{purpose}_{shard}.log",
    wildcard_constraints:
        purpose="train|check",
        shard=r"\d+",
    conda:
        "../envs/semsplat.yaml"
    params:
        seeds=shard_seeds,
        shape=PARAMS.networks.pictures.shape.model_dump_json(),
        code=fingerprint("semsplat.networks.pictures"),
    message:
        "draw pictures {wildcards.purpose}_{wildcards.shard} for the networks"
    shell:
        "python -m semsplat.job --threads={threads} networks draw"
        " --first-seed {params.seeds[0]} --count {params.seeds[1]}"
        " --shape {params.shape:q} --out {output:q} > {log:q} 2>&1"


rule train_network:
    input:
        pictures=shards("train"),
        unseen=shards("check"),
    output:
        weights="results/networks/{network}/weights.safetensors",
        curve="results/networks/{network}/metrics.jsonl",
        card="results/networks/{network}/run.json",
    log:
        "logs/networks/{network}.log",
    wildcard_constraints:
        network="clip|sam",
    conda:
        "../envs/semsplat.yaml"
    resources:
        mem_mb=NODE.mem_mb,
        runtime=RUNTIME["train_network"],
        save_every_s=str(PARAMS.training.save_every_s),
    params:
        config=network_config,
        out=subpath(output.card, parent=True),
        code=lambda wildcards: fingerprint(
            f"semsplat.networks.tiny_{wildcards.network}.train"
        ),
    message:
        "train the tiny {wildcards.network}"
    shell:
        "python -m semsplat.job --threads={threads} networks train-{wildcards.network}"
        " --config {params.config:q}"
        " --job.pictures {input.pictures:q} --job.unseen {input.unseen:q} --job.out {params.out:q}"
        " --job.scratch scratch/networks/{wildcards.network}"
        " --job.save-every-s {resources.save_every_s} > {log:q} 2>&1"


rule network_quality:
    input:
        clip=f"{SHIPPED}/tiny_clip.safetensors",
        sam=f"{SHIPPED}/tiny_sam.safetensors",
    output:
        "results/networks/quality.json",
    log:
        "logs/networks/quality.log",
    conda:
        "../envs/semsplat.yaml"
    params:
        config=judging_config("quality"),
        code=fingerprint("semsplat.networks.quality.report"),
    message:
        "judge the shipped networks"
    shell:
        "python -m semsplat.job --threads={threads} networks quality"
        " --config {params.config:q} --clip {input.clip:q}"
        " --sam {input.sam:q} --out {output:q} > {log:q} 2>&1"


rule sam_thresholds:
    input:
        f"{SHIPPED}/tiny_sam.safetensors",
    output:
        "results/networks/thresholds.json",
    log:
        "logs/networks/thresholds.log",
    conda:
        "../envs/semsplat.yaml"
    params:
        config=judging_config("tune"),
        code=fingerprint("semsplat.networks.quality.report"),
    message:
        "try thresholds of the shipped SAM's automatic masks"
    shell:
        "python -m semsplat.job --threads={threads} networks tune-sam"
        " --config {params.config:q} --sam {input:q}"
        " --out {output:q} > {log:q} 2>&1"
