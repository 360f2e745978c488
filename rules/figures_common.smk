"""What figures show, read and are told; no rules here."""

import json

from semsplat.figures import OF_TRAININGS, TABLES, figure_kind, figure_kinds

EXTENSIONS = "|".join(sorted({figure_kind(n).EXTENSION for n in figure_kinds()}))


def figures_of(*scopes):
    """Return a wildcard's pattern of the figures of some scopes."""
    shown = PARAMS.figures.items()
    return pattern([n for n, f in shown if figure_kind(f.kind).SCOPE in scopes])


def figure_files():
    """Return the files of all figures of the suite."""
    found = []
    for name in PARAMS.suites[SUITE].figures:
        kind = figure_kind(PARAMS.figures[name].kind)
        # A table says what is missing even where it shows nothing.
        if kind.SCOPE in OF_TRAININGS:
            found.append(f"paper_figures/{SUITE}/{name}.{kind.EXTENSION}")
            continue
        stems = {
            "run": "{name}/{{dataset}}/{{scene}}/{{seed}}",
            "scene": "{name}/{{dataset}}/{{scene}}",
        }
        stem = stems.get(kind.SCOPE, "{name}").format(name=name)
        path = f"paper_figures/{SUITE}/{stem}.{kind.EXTENSION}"
        found += over(runs.shown_runs(PARAMS, name), path)
    return found


def figure_needs(name):
    """Return the patterns of what a figure reads, its settings and recipes filled in."""
    figure = PARAMS.figures[name]
    needs = list(figure_kind(figure.kind).NEEDS)
    settings = runs.shown_settings(PARAMS, name)
    recipes = figure_recipes(name, "{seed}").values()
    for mark, names in (("{setting}", settings), ("{recipe}", recipes)):
        needs = [
            pattern.replace(mark, name)
            for pattern in needs
            for name in (names if mark in pattern else [""])
        ]
    return needs


def figure_recipes(name, seed):
    """Return the features that a figure shows of a seed, each ``recipe/seed``."""
    shown = PARAMS.figures[name].recipes.items()
    return {
        k: f"{recipe}/{recipes.seed_of(PARAMS, recipe, seed)}" for k, recipe in shown
    }


def figure_inputs(wildcards):
    """Return the results that a figure reads."""
    kind = figure_kind(figure_kind_name(wildcards))
    if kind.SCOPE in OF_TRAININGS:
        trainings = runs.table_trainings(PARAMS, wildcards.figure)
        return table_inputs(trainings, kind.NEEDS)
    needs = figure_needs(wildcards.figure)
    if hasattr(wildcards, "scene"):
        seeded = {"seed": recipes.first_seed(PARAMS), **wildcards}
        return [pattern.format(**seeded) for pattern in needs]
    return over(runs.shown_runs(PARAMS, wildcards.figure), *needs)


def table_inputs(trainings, needs):
    """Return what a table reads of its trainings, and of the features that they learned of."""
    of_features = [need for need in needs if "{features}" in need]
    found = over(trainings, *(need for need in needs if need not in of_features))
    learned = {
        (t, recipe)
        for t in (trainings if of_features else ())
        if (recipe := recipes.setting_recipe(PARAMS, t.setting))
    }
    return found + sorted(
        {
            need.format(
                **t._asdict(),
                features=f"{recipe}/{recipes.seed_of(PARAMS, recipe, t.seed)}",
            )
            for t, recipe in learned
            for need in of_features
        }
    )


def figure_runs(wildcards):
    """Name the runs that a figure shows, its scene, or its trainings."""
    if figure_kind(figure_kind_name(wildcards)).SCOPE in OF_TRAININGS:
        return training_names(runs.table_trainings(PARAMS, wildcards.figure))
    place = [v for k, v in wildcards.items() if k in ("dataset", "scene", "seed")]
    if place:
        return "/".join(place)
    return [
        "/".join(map(str, run)) for run in runs.shown_runs(PARAMS, wildcards.figure)
    ]


def figure_kind_name(wildcards):
    """Return the kind of a figure."""
    return PARAMS.figures[wildcards.figure].kind


def figure_about(wildcards):
    """Return what a kind of figure shows, as its file says."""
    return figure_kind(figure_kind_name(wildcards)).__doc__.splitlines()[0]


def figures_about():
    """Return what each figure of the suite shows, as JSON."""
    names = PARAMS.suites[SUITE].figures
    kinds = {name: figure_kind(PARAMS.figures[name].kind) for name in names}
    return json.dumps({n: k.__doc__.splitlines()[0] for n, k in kinds.items()})


def figure_options(wildcards):
    """Return a figure's options as JSON in the order of the file: it can mean something.

    Of the settings those that the suite trains; of the recipes the features that are shown; the
    suite's first seed where a figure leaves it to the suite.
    """
    seed = wildcards.get("seed", recipes.first_seed(PARAMS))
    options = PARAMS.figures[wildcards.figure].options
    if options.get("seed", seed) is None:
        options = options | {"seed": seed}
    options = options | figure_recipes(wildcards.figure, seed)
    if "settings" in options:
        shown = runs.shown_settings(PARAMS, wildcards.figure)
        options = options | {"settings": {n: options["settings"][n] for n in shown}}
    return json.dumps(options)


def figure_code(wildcards):
    """Return the fingerprint of what draws a figure, and of the tables that define one."""
    kind = figure_kind(figure_kind_name(wildcards))
    defined = "table" in PARAMS.figures[wildcards.figure].options
    definitions = (
        PUBLISHED if defined or kind.SCOPE in ("trainings", "comparison") else ""
    )
    named = kind.modules() if hasattr(kind, "modules") else []
    return fingerprint(kind.__name__, *named) + definitions
