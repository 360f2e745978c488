SCORES = [
    *over(RUNS, "results/evaluate/{dataset}/{scene}/geometry/{seed}/scores.json"),
    *over(
        FEATURES_KEYS,
        "results/evaluate/{dataset}/{scene}/features/{recipe}/{seed}/scores.json",
    ),
    *over(
        TRAINING_KEYS, "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json"
    ),
]
SPEED = ["results/speed.json"] if OWN_KEYS else []


rule evaluate:
    input:
        SCORES,
        SPEED,
        over_clusters(),
        "results/metrics.json",


rule predict:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        model=asked_model,
        features=asked_features,
        weights=asked_weights,
    output:
        "results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.predict.log",
    wildcard_constraints:
        setting=f"{GEOMETRY}|{pattern(PARAMS.settings)}",
    conda:
        "../envs/semsplat.yaml"
    resources:
        gpu=NODE.gpus,
    params:
        answers=lambda wildcards: asked.answers(PARAMS, wildcards.setting),
        options=predict_told,
        code=lambda wildcards: asked.predict_code(PARAMS, _training(wildcards)),
        scene=subpath(input.scene, parent=True),
        model=lambda wildcards, input: Path(input.model[0]).parent,
        sources=source_options,
        cache=FEATURES_CACHE,
        out=subpath(output[0], parent=True),
    message:
        "ask {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "python -m semsplat.job --threads={threads} evaluate predict"
        " --answers {params.answers:q} --scene {params.scene:q}"
        " --model {params.model:q} {params.sources} --options {params.options:q}"
        " --cache {params.cache:q} --out {params.out:q} > {log:q} 2>&1"


# Of a method that was run elsewhere there are the predictions, and who made them in place of a
# training's card.
rule import_external:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        given=given_files,
    output:
        card="results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
        predictions="results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.import.log",
    wildcard_constraints:
        setting=pattern(PARAMS.external),
    conda:
        "../envs/semsplat.yaml"
    params:
        config=external_config,
        others=given_others,
        code=lambda wildcards: asked.external_code(PARAMS, wildcards.setting),
        scene=subpath(input.scene, parent=True),
        source=lambda wildcards: PARAMS.external[wildcards.setting].folder,
        out=subpath(output.card, parent=True),
        predictions=subpath(output.predictions, parent=True),
    message:
        "import {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "python -m semsplat.job --threads={threads} evaluate import-external"
        " --scene {params.scene:q} --source {params.source:q} --config {params.config:q}"
        " --out {params.out:q} --predictions {params.predictions:q} > {log:q} 2>&1"


# What it writes beside scores.json depends on what is asked, so that only that file is an output.
rule score:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        predictions="results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
        lessons=scored_lessons,
    output:
        "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.score.log",
    wildcard_constraints:
        setting=f"{GEOMETRY}|{SETTING}",
    conda:
        "../envs/semsplat.yaml"
    params:
        answers=lambda wildcards: asked.answers(PARAMS, wildcards.setting),
        options=score_told,
        code=lambda wildcards: asked.score_code(PARAMS, wildcards.setting),
        scene=subpath(input.scene, parent=True),
        predictions=subpath(input.predictions, parent=True),
        sources=source_options,
    message:
        "score {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "python -m semsplat.job --threads={threads} evaluate score"
        " --answers {params.answers:q} --scene {params.scene:q}"
        " --predictions {params.predictions:q} {params.sources} --options {params.options:q}"
        " --out {output:q} > {log:q} 2>&1"


rule cluster_scene:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        card="results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
        ply="results/train/{dataset}/{scene}/{setting}/{seed}/point_cloud.ply",
        semantics="results/train/{dataset}/{scene}/{setting}/{seed}/semantics.safetensors",
    output:
        "results/evaluate/{dataset}/{scene}/{setting}/{seed}/clusters/manifest.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.cluster.log",
    wildcard_constraints:
        setting=pattern(asked.settings_answering(PARAMS, "similarity")),
    conda:
        "../envs/semsplat.yaml"
    resources:
        gpu=NODE.gpus,
    params:
        scene=subpath(input.scene, parent=True),
        model=subpath(input.ply, parent=True),
        out=subpath(output[0], parent=True),
        options=PARAMS.evaluate.clusters.model_dump_json(),
        code=fingerprint("semsplat.evaluate.clusters"),
        method=method_code,
    message:
        "cluster {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "python -m semsplat.job --threads={threads} evaluate cluster"
        " --scene {params.scene:q} --model {params.model:q}"
        " --options {params.options:q} --seed {wildcards.seed} --out {params.out:q}"
        " > {log:q} 2>&1"


rule measure_speed:
    input:
        over(
            OWN_KEYS,
            "data/{dataset}/{scene}/manifest.json",
            "results/train/{dataset}/{scene}/{setting}/{seed}/semantics.safetensors",
            "results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
        ),
    output:
        "results/speed.json",
    log:
        "logs/evaluate/speed.log",
    conda:
        "../envs/semsplat.yaml"
    # Capped to the cores there are: on a laptop nothing else runs meanwhile.
    threads: THREADS["measure_speed"]
    resources:
        gpu=NODE.gpus,
    params:
        runs=training_names(OWN_KEYS),
        repeats=PARAMS.evaluate.speed_repeats,
        code=asked.speed_code(PARAMS),
    message:
        f"measure the speed of suite {SUITE}"
    shell:
        "python -m semsplat.job --threads={threads} evaluate speed"
        " --runs {params.runs:q} --repeats {params.repeats}"
        " --out {output:q} > {log:q} 2>&1"


rule score_features:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        features="results/features/{dataset}/{scene}/{recipe}/{seed}/manifest.json",
    output:
        scores="results/evaluate/{dataset}/{scene}/features/{recipe}/{seed}/scores.json",
        maps="results/evaluate/{dataset}/{scene}/features/{recipe}/{seed}/inconsistency.npz",
    log:
        "logs/evaluate/{dataset}/{scene}/features/{recipe}/{seed}.score.log",
    wildcard_constraints:
        seed=SEED_OR_ALL,
    conda:
        "../envs/semsplat.yaml"
    params:
        scene=subpath(input.scene, parent=True),
        features=subpath(input.features, parent=True),
        code=fingerprint("semsplat.evaluate.feature_scores"),
    message:
        "score features {wildcards.recipe}/{wildcards.seed} of {wildcards.dataset}/{wildcards.scene}"
    shell:
        "python -m semsplat.job --threads={threads} evaluate score-features"
        " --scene {params.scene:q}"
        " --features {params.features:q} --out {output.scores:q} > {log:q} 2>&1"


rule collect_scores:
    input:
        SCORES,
    output:
        "results/metrics.json",
    log:
        "logs/evaluate/collect.log",
    conda:
        "../envs/semsplat.yaml"
    params:
        code=fingerprint("semsplat.evaluate.jobs:collect"),
    message:
        f"collect the scores of suite {SUITE}"
    shell:
        "python -m semsplat.job --threads={threads} evaluate collect"
        " --scores {input:q} --out {output:q} > {log:q} 2>&1"
