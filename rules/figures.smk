PAGE = f"paper_figures/{SUITE}/index.html"


rule figures:
    input:
        figure_files(),
        PAGE,


rule draw_figure:
    input:
        figure_inputs,
    output:
        figure=report(
            f"paper_figures/{SUITE}/{{figure}}.{{extension}}",
            caption="report/figure.rst",
            category=f"Suite {SUITE}",
            subcategory="All scenes",
            labels={"figure": "{figure}"},
        ),
    log:
        f"logs/figures/{SUITE}/{{figure}}.{{extension}}.log",
    wildcard_constraints:
        figure=figures_of("suite", "comparison"),
        extension=EXTENSIONS,
    conda:
        "../envs/semsplat.yaml"
    params:
        kind=figure_kind_name,
        about=figure_about,
        runs=figure_runs,
        options=figure_options,
        code=figure_code,
    message:
        "draw {output.figure}"
    shell:
        "python -m semsplat.job --threads={threads} figures"
        " --kind {params.kind:q} --runs {params.runs:q}"
        " --options {params.options:q} --out {output.figure:q} > {log:q} 2>&1"


use rule draw_figure as draw_run_figure with:
    output:
        figure=report(
            f"paper_figures/{SUITE}/{{figure}}/{{dataset}}/{{scene}}/{{seed}}.{{extension}}",
            caption="report/run_figure.rst",
            category=f"Suite {SUITE}",
            subcategory="{dataset}/{scene}",
            labels={
                "figure": "{figure}",
                "scene": "{dataset}/{scene}",
                "seed": "{seed}",
            },
        ),
    log:
        f"logs/figures/{SUITE}/{{figure}}/{{dataset}}/{{scene}}/{{seed}}.{{extension}}.log",
    wildcard_constraints:
        figure=figures_of("run"),
        extension=EXTENSIONS,


use rule draw_figure as draw_scene_figure with:
    output:
        figure=report(
            f"paper_figures/{SUITE}/{{figure}}/{{dataset}}/{{scene}}.{{extension}}",
            caption="report/scene_figure.rst",
            category=f"Suite {SUITE}",
            subcategory="{dataset}/{scene}",
            labels={"figure": "{figure}", "scene": "{dataset}/{scene}"},
        ),
    log:
        f"logs/figures/{SUITE}/{{figure}}/{{dataset}}/{{scene}}.{{extension}}.log",
    wildcard_constraints:
        figure=figures_of("scene"),
        extension=EXTENSIONS,


use rule draw_figure as draw_table with:
    output:
        figure=report(
            f"paper_figures/{SUITE}/{{figure}}.md",
            caption="report/figure.rst",
            category=f"Suite {SUITE}",
            subcategory="All scenes",
            labels={"figure": "{figure}"},
        ),
        csv=f"paper_figures/{SUITE}/{{figure}}.csv",
        tex=f"paper_figures/{SUITE}/{{figure}}.tex",
    log:
        f"logs/figures/{SUITE}/{{figure}}.log",
    wildcard_constraints:
        figure=figures_of(*TABLES),


rule write_page:
    input:
        figures=figure_files(),
        cards=over(
            TRAINING_KEYS,
            "results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
            "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
        ),
    output:
        page=PAGE,
        alone=report(
            f"results/report/{SUITE}.html",
            caption="report/page.rst",
            category=f"Suite {SUITE}",
            subcategory="Verdicts and tables",
            labels={"page": "verdicts, tables, costs, runs"},
        ),
    log:
        f"logs/figures/{SUITE}/index.log",
    conda:
        "../envs/semsplat.yaml"
    params:
        suite=SUITE,
        trainings=training_names(TRAINING_KEYS),
        about=figures_about(),
        code=fingerprint("semsplat.figures.page") + PUBLISHED,
        template=digest_of(Path("src/semsplat/figures/page")),
    message:
        "write {output.page}"
    shell:
        "python -m semsplat.job --threads={threads} figures.page"
        " --suite {params.suite:q} --files {input.figures:q}"
        " --about {params.about:q}"
        " --trainings {params.trainings:q} --out {output.page:q} --alone {output.alone:q}"
        " > {log:q} 2>&1"


# Not part of "all": the README is the project's, with the numbers of its own runs.
rule readme:
    input:
        f"paper_figures/{SUITE}/summary.md",
    log:
        f"logs/figures/{SUITE}/readme.log",
    conda:
        "../envs/semsplat.yaml"
    message:
        "renew the tables of README.md"
    shell:
        "python -m semsplat.job --threads={threads} figures.page.readme > {log:q} 2>&1"
