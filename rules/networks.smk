# The networks that the package ships; `all` never trains them.
NETWORK_PICTURES = "scratch/networks/pictures"
SHIPPED = "src/semsplat/networks/weights"
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


def network_config(wildcards):
    """Return the training of a network as JSON."""
    networks, log_every = PARAMS.networks, PARAMS.training.log_every
    if wildcards.network == "sam":
        run = SamRun(
            shape=networks.sam, training=networks.sam_training, log_every=log_every
        )
    else:
        run = ClipRun(
            shape=networks.clip, training=networks.clip_training, log_every=log_every
        )
    return run.model_dump_json()


def judging_config(purpose):
    """Return what the networks are judged with, or the SAM's thresholds chosen by, as JSON."""
    networks = PARAMS.networks
    told = {
        "shape": networks.pictures.shape,
        "seeds": getattr(networks.pictures, purpose),
        "automatic": networks.automatic,
    }
    if purpose == "tune":
        return TuningRun(**told, grid=networks.tuning).model_dump_json()
    return QualityRun(**told).model_dump_json()


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
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.networks draw --first-seed {params.seeds[0]} --count {params.seeds[1]}"
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
        mem_mb=8000,
        runtime="3h",
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
        "OMP_NUM_THREADS={threads}"
        " python -m semsplat.networks train-{wildcards.network} --config {params.config:q}"
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
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.networks quality --config {params.config:q} --clip {input.clip:q}"
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
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.networks tune-sam --config {params.config:q} --sam {input:q}"
        " --out {output:q} > {log:q} 2>&1"
