# Of several such blocks Snakemake heeds the last alone.
onsuccess:
    records.drop_records(FOLLOWERS)
    for line in (
        *missing_lines(),
        *ended.lines(Path(PAGE), [key.folder for key in TRAINING_KEYS]),
    ):
        print(line)


rule track:
    input:
        over(RUNS, "mlruns/.logged/{dataset}/{scene}/geometry/{seed}.json"),
        over(TRAINING_KEYS, "mlruns/.logged/{dataset}/{scene}/{setting}/{seed}.json"),


rule log_run:
    input:
        card="results/geometry/{dataset}/{scene}/{seed}/run.json",
        curve="results/geometry/{dataset}/{scene}/{seed}/metrics.jsonl",
        scores="results/evaluate/{dataset}/{scene}/geometry/{seed}/scores.json",
        scene="data/{dataset}/{scene}/manifest.json",
    output:
        "mlruns/.logged/{dataset}/{scene}/geometry/{seed}.json",
    log:
        "logs/track/{dataset}/{scene}/geometry/{seed}.log",
    conda:
        "../envs/semsplat.yaml"
    resources:
        mlflow=1,
    # So runs are logged again where somebody removed the index, though their stamps are there.
    params:
        code=fingerprint("semsplat.track.__main__"),
        index=index_name(),
        tries=lambda wildcards, output: tries(Path(output[0])),
        curve=curve_option,
    message:
        "index {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}, in MLflow"
    shell:
        "python -m semsplat.job --threads={threads} track"
        " --card {input.card:q} {params.curve}"
        " --scores {input.scores:q} --scene {input.scene:q} --stamp {output:q}"
        " --tries {params.tries} > {log:q} 2>&1"


use rule log_run as log_setting with:
    input:
        card="results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
        curve=setting_curve,
        scores="results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
        scene="data/{dataset}/{scene}/manifest.json",
    output:
        "mlruns/.logged/{dataset}/{scene}/{setting}/{seed}.json",
    log:
        "logs/track/{dataset}/{scene}/{setting}/{seed}.log",
    message:
        "index {wildcards.setting} on {wildcards.dataset}/{wildcards.scene}, seed {wildcards.seed}, in MLflow"
