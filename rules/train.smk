rule train:
    input:
        over(TRAINING_KEYS, "results/train/{dataset}/{scene}/{setting}/{seed}/run.json"),


rule train_run:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        lessons=setting_lessons,
        features=setting_features,
        geometry=setting_geometry,
    output:
        ply="results/train/{dataset}/{scene}/{setting}/{seed}/point_cloud.ply",
        semantics="results/train/{dataset}/{scene}/{setting}/{seed}/semantics.safetensors",
        curve="results/train/{dataset}/{scene}/{setting}/{seed}/metrics.jsonl",
        card="results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
    log:
        "logs/train/{dataset}/{scene}/{setting}/{seed}.log",
    wildcard_constraints:
        setting=pattern(PARAMS.settings),
    priority: PRIORITY["train_run"]
    conda:
        "../envs/semsplat.yaml"
    # Two trainings of one thread each end sooner than one after the other of two threads.
    threads: 1
    resources:
        gpu=NODE.gpus,
        mem_mb=NODE.mem_mb,
        runtime=RUNTIME["train_run"],
        save_every_s=str(PARAMS.training.save_every_s),
    params:
        config=train_config,
        code=train_code,
        scene=subpath(input.scene, parent=True),
        sources=source_options,
        out=subpath(output.card, parent=True),
        scratch="scratch/train/{dataset}/{scene}/{setting}/{seed}",
        records="scratch/records/{dataset}/{scene}/{seed}",
    message:
        "train {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "python -m semsplat.job --threads={threads} train"
        " --scene {params.scene:q} {params.sources}"
        " --out {params.out:q} --scratch {params.scratch:q}"
        " --config {params.config:q} --save-every-s {resources.save_every_s}"
        " --records {params.records:q} > {log:q} 2>&1"
