SCORES = [
    *over_runs("results/evaluate/{dataset}/{scene}/geometry/{seed}/scores.json"),
    *over_features("results/evaluate/{dataset}/{scene}/features/{recipe}/scores.json"),
    *over_settings("results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json"),
]
SPEED = ["results/speed.json"] if SETTING_RUNS else []


rule evaluate:
    input:
        SCORES,
        SPEED,
        over_clusters(),
        "results/metrics.json",


rule render_views:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        card="results/geometry/{dataset}/{scene}/{seed}/run.json",
        ply="results/geometry/{dataset}/{scene}/{seed}/point_cloud.ply",
    output:
        "results/evaluate/{dataset}/{scene}/geometry/{seed}/predictions/manifest.json",
    log:
        "logs/evaluate/{dataset}/{scene}/geometry/{seed}.render.log",
    conda:
        "../envs/semsplat.yaml"
    resources:
        gpu=1,
    params:
        scene=subpath(input.scene, parent=True),
        model=subpath(input.ply, parent=True),
        out=subpath(output[0], parent=True),
        code=fingerprint("semsplat.evaluate.predict"),
    message:
        "render held-out views of {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.evaluate render --scene {params.scene:q} --model {params.model:q}"
        " --out {params.out:q} > {log:q} 2>&1"


rule score_run:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        predictions="results/evaluate/{dataset}/{scene}/geometry/{seed}/predictions/manifest.json",
    output:
        "results/evaluate/{dataset}/{scene}/geometry/{seed}/scores.json",
    log:
        "logs/evaluate/{dataset}/{scene}/geometry/{seed}.score.log",
    conda:
        "../envs/semsplat.yaml"
    params:
        scene=subpath(input.scene, parent=True),
        predictions=subpath(input.predictions, parent=True),
        lpips_net=PARAMS.evaluate.lpips_net,
        code=fingerprint("semsplat.evaluate.score"),
    message:
        "score {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "python -m semsplat.evaluate score --scene {params.scene:q}"
        " --predictions {params.predictions:q} --out {output:q} --lpips-net {params.lpips_net:q}"
        " > {log:q} 2>&1"


rule render_classes:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        card="results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
        ply="results/train/{dataset}/{scene}/{setting}/{seed}/point_cloud.ply",
        semantics="results/train/{dataset}/{scene}/{setting}/{seed}/semantics.safetensors",
    output:
        "results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.render.log",
    wildcard_constraints:
        setting=settings_answering(CLASSES),
    conda:
        "../envs/semsplat.yaml"
    resources:
        gpu=1,
    params:
        scene=subpath(input.scene, parent=True),
        model=subpath(input.ply, parent=True),
        out=subpath(output[0], parent=True),
        code=fingerprint("semsplat.evaluate.predict_classes"),
        method=method_code,
    message:
        "render {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.evaluate render-classes --scene {params.scene:q}"
        " --model {params.model:q} --out {params.out:q} > {log:q} 2>&1"


rule render_queries:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        features=setting_features,
        card="results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
        ply="results/train/{dataset}/{scene}/{setting}/{seed}/point_cloud.ply",
        semantics="results/train/{dataset}/{scene}/{setting}/{seed}/semantics.safetensors",
    output:
        "results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.render.log",
    wildcard_constraints:
        setting=settings_answering(RELEVANCY),
    conda:
        "../envs/semsplat.yaml"
    resources:
        gpu=1,
    params:
        scene=subpath(input.scene, parent=True),
        sources=source_options,
        model=subpath(input.ply, parent=True),
        cache=FEATURES_CACHE,
        out=subpath(output[0], parent=True),
        code=fingerprint("semsplat.evaluate.predict_queries"),
        method=method_code,
    message:
        "ask {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.evaluate render-queries --scene {params.scene:q} {params.sources}"
        " --model {params.model:q} --cache {params.cache:q} --out {params.out:q} > {log:q} 2>&1"


rule render_selections:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        features=setting_features,
        card="results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
        ply="results/train/{dataset}/{scene}/{setting}/{seed}/point_cloud.ply",
        semantics="results/train/{dataset}/{scene}/{setting}/{seed}/semantics.safetensors",
        weights=selection_weights,
    output:
        "results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.render.log",
    wildcard_constraints:
        setting=settings_answering(SIMILARITY),
    conda:
        "../envs/semsplat.yaml"
    resources:
        gpu=1,
    params:
        scene=subpath(input.scene, parent=True),
        sources=source_options,
        model=subpath(input.ply, parent=True),
        cache=FEATURES_CACHE,
        out=subpath(output[0], parent=True),
        config=selections_config,
        code=fingerprint(
            "semsplat.evaluate.predict_selections",
            *(
                f"semsplat.evaluate.grounders.{name}"
                for name in with_clicks(PARAMS.evaluate.grounders)
            ),
        ),
        method=method_code,
    message:
        "select by {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.evaluate render-selections --scene {params.scene:q}"
        " {params.sources} --model {params.model:q} --config {params.config:q}"
        " --cache {params.cache:q} --out {params.out:q} > {log:q} 2>&1"


rule score_selections:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        predictions="results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
    output:
        "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.score.log",
    wildcard_constraints:
        setting=settings_answering(SIMILARITY),
    conda:
        "../envs/semsplat.yaml"
    params:
        scene=subpath(input.scene, parent=True),
        predictions=subpath(input.predictions, parent=True),
        code=fingerprint("semsplat.evaluate.score_selections"),
    message:
        "score {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "OMP_NUM_THREADS={threads}"
        " python -m semsplat.evaluate score-selections --scene {params.scene:q}"
        " --predictions {params.predictions:q} --out {output:q} > {log:q} 2>&1"


rule score_setting:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        predictions="results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
        lessons=setting_lessons,
    output:
        scores="results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
        pairs="results/evaluate/{dataset}/{scene}/{setting}/{seed}/inconsistency.npz",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.score.log",
    wildcard_constraints:
        setting=settings_answering(CLASSES),
    conda:
        "../envs/semsplat.yaml"
    params:
        scene=subpath(input.scene, parent=True),
        predictions=subpath(input.predictions, parent=True),
        lessons=lambda wildcards, input: Path(input.lessons[0]).parent,
        lpips_net=PARAMS.evaluate.lpips_net,
        code=fingerprint("semsplat.evaluate.score_setting"),
    message:
        "score {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "OMP_NUM_THREADS={threads}"
        " python -m semsplat.evaluate score-setting --scene {params.scene:q}"
        " --predictions {params.predictions:q} --lessons {params.lessons:q} --out {output.scores:q}"
        " --lpips-net {params.lpips_net:q} > {log:q} 2>&1"


rule score_queries:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        predictions="results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
    output:
        "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
    log:
        "logs/evaluate/{dataset}/{scene}/{setting}/{seed}.score.log",
    wildcard_constraints:
        setting=settings_answering(RELEVANCY),
    conda:
        "../envs/semsplat.yaml"
    params:
        scene=subpath(input.scene, parent=True),
        predictions=subpath(input.predictions, parent=True),
        code=fingerprint("semsplat.evaluate.score_queries"),
    message:
        "score {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}"
    shell:
        "OMP_NUM_THREADS={threads}"
        " python -m semsplat.evaluate score-queries --scene {params.scene:q}"
        " --predictions {params.predictions:q} --out {output:q} > {log:q} 2>&1"


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
        setting=settings_answering(SIMILARITY),
    conda:
        "../envs/semsplat.yaml"
    resources:
        gpu=1,
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
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.evaluate cluster --scene {params.scene:q} --model {params.model:q}"
        " --options {params.options:q} --seed {wildcards.seed} --out {params.out:q}"
        " > {log:q} 2>&1"


rule measure_speed:
    input:
        over_settings(
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
    threads: 16
    resources:
        gpu=1,
    params:
        runs=training_names(SETTING_RUNS),
        repeats=PARAMS.evaluate.speed_repeats,
        code=fingerprint("semsplat.bench.methods"),
    message:
        f"measure the speed of suite {SUITE}"
    shell:
        "OMP_NUM_THREADS={threads} NUMBA_NUM_THREADS={threads}"
        " python -m semsplat.bench methods --runs {params.runs:q} --repeats {params.repeats}"
        " --out {output:q} > {log:q} 2>&1"


rule score_features:
    input:
        scene="data/{dataset}/{scene}/manifest.json",
        features="results/features/{dataset}/{scene}/{recipe}/manifest.json",
    output:
        scores="results/evaluate/{dataset}/{scene}/features/{recipe}/scores.json",
        maps="results/evaluate/{dataset}/{scene}/features/{recipe}/inconsistency.npz",
    log:
        "logs/evaluate/{dataset}/{scene}/features/{recipe}.score.log",
    conda:
        "../envs/semsplat.yaml"
    params:
        scene=subpath(input.scene, parent=True),
        features=subpath(input.features, parent=True),
        code=fingerprint("semsplat.evaluate.score_features"),
    message:
        "score features {wildcards.recipe} of {wildcards.dataset}/{wildcards.scene}"
    shell:
        "OMP_NUM_THREADS={threads}"
        " python -m semsplat.evaluate score-features --scene {params.scene:q}"
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
        code=fingerprint("semsplat.evaluate.score"),
    message:
        f"collect the scores of suite {SUITE}"
    shell:
        "python -m semsplat.evaluate collect --scores {input:q} --out {output:q} > {log:q} 2>&1"
