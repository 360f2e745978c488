# The networks that the package ships; `all` never trains them.
NETWORK_PICTURES = "scratch/networks/pictures"
WORLDS_PER_SHARD = 100


def shards(purpose):
    """Return the picture archives of a purpose."""
    seeds = getattr(PARAMS.networks.pictures, purpose)
    count = -(-seeds.count // WORLDS_PER_SHARD)
    return [f"{NETWORK_PICTURES}/{purpose}_{k}.npz" for k in range(count)]


def shard_seeds(wildcards):
    """Return first seed and number of worlds of one archive."""
    seeds = getattr(PARAMS.networks.pictures, wildcards.purpose)
    start = int(wildcards.shard) * WORLDS_PER_SHARD
    return [seeds.first + start, min(WORLDS_PER_SHARD, seeds.count - start)]


def sam_config(_):
    """Return the training of the tiny SAM as JSON."""
    networks = PARAMS.networks
    return SamRun(
        shape=networks.sam,
        training=networks.sam_training,
        log_every=PARAMS.training.log_every,
    ).model_dump_json()


rule retrain_demo_networks:
    input:
        "results/networks/sam/run.json",


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
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.networks draw --first-seed {params.seeds[0]} --count {params.seeds[1]}"
        " --shape {params.shape:q} --out {output:q} > {log:q} 2>&1"


rule train_sam:
    input:
        pictures=shards("train"),
        unseen=shards("check"),
    output:
        weights="results/networks/sam/weights.safetensors",
        curve="results/networks/sam/metrics.jsonl",
        card="results/networks/sam/run.json",
    log:
        "logs/networks/sam.log",
    conda:
        "../envs/semsplat.yaml"
    resources:
        mem_mb=8000,
        runtime="3h",
        save_every_s=str(PARAMS.training.save_every_s),
    params:
        config=sam_config,
        out=subpath(output.card, parent=True),
        code=fingerprint("semsplat.networks.tiny_sam.train"),
    message:
        "train the tiny SAM"
    shell:
        "OMP_NUM_THREADS={threads}"
        " python -m semsplat.networks train-sam --pictures {input.pictures:q}"
        " --unseen {input.unseen:q} --out {params.out:q} --scratch scratch/networks/sam"
        " --config {params.config:q} --save-every-s {resources.save_every_s} > {log:q} 2>&1"
