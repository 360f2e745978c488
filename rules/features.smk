rule features:
    input:
        over(
            FEATURES_KEYS,
            "results/features/{dataset}/{scene}/{recipe}/{seed}/manifest.json",
        ),
        over(
            LESSONS_KEYS,
            "results/lessons/{dataset}/{scene}/{teacher}/{seed}/manifest.json",
        ),


rule extract_features:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        geometry=recipe_geometry,
        weights=recipe_weights,
    output:
        manifest="results/features/{dataset}/{scene}/{recipe}/{seed}/manifest.json",
        card="results/features/{dataset}/{scene}/{recipe}/{seed}/run.json",
    log:
        "logs/features/{dataset}/{scene}/{recipe}/{seed}.log",
    wildcard_constraints:
        seed=SEED_OR_ALL,
    priority: PRIORITY["extract_features"]
    conda:
        "../envs/semsplat.yaml"
    # Small networks gain little from threads; recipes and scenes run side by side instead.
    threads: 1
    resources:
        gpu=NODE.gpus,
        mem_mb=NODE.mem_mb,
        runtime=RUNTIME["extract_features"],
    params:
        config=features_config,
        code=fingerprint("semsplat.features.extraction"),
        segmenter=segmenter_code,
        scene=subpath(input.scene, parent=True),
        sources=source_options,
        out=subpath(output.card, parent=True),
        cache=FEATURES_CACHE,
    message:
        "extract features {wildcards.recipe}/{wildcards.seed} of {wildcards.dataset}/{wildcards.scene}"
    shell:
        "python -m semsplat.job --threads={threads} features extract"
        " --scene {params.scene:q} {params.sources}"
        " --out {params.out:q} --cache {params.cache:q} --config {params.config:q} > {log:q} 2>&1"


rule teach_scene:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        features=teacher_features,
        geometry=teacher_geometry,
        maps=teacher_maps,
        weights=teacher_weights,
    output:
        manifest="results/lessons/{dataset}/{scene}/{teacher}/{seed}/manifest.json",
        card="results/lessons/{dataset}/{scene}/{teacher}/{seed}/run.json",
    log:
        "logs/lessons/{dataset}/{scene}/{teacher}/{seed}.log",
    priority: PRIORITY["teach_scene"]
    conda:
        "../envs/semsplat.yaml"
    resources:
        gpu=NODE.gpus,
    params:
        config=teacher_config,
        code=teacher_code,
        others=teacher_others,
        scene=subpath(input.scene, parent=True),
        sources=source_options,
        out=subpath(output.card, parent=True),
    message:
        "teach {wildcards.dataset}/{wildcards.scene} by {wildcards.teacher}, seed {wildcards.seed}"
    shell:
        "python -m semsplat.job --threads={threads} features teach"
        " --scene {params.scene:q} {params.sources}"
        " --out {params.out:q} --config {params.config:q} > {log:q} 2>&1"
