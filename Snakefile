"""Reproduce every number and figure, one file in rules/ for each phase:

data -> geometry -> features -> train -> evaluate -> figures.
"""


configfile: "params.yaml"


include: "rules/common.smk"
include: "rules/data_common.smk"
include: "rules/inputs_common.smk"
include: "rules/figures_common.smk"
include: "rules/data.smk"
include: "rules/geometry.smk"
include: "rules/features.smk"
include: "rules/train.smk"
include: "rules/networks_common.smk"
include: "rules/networks.smk"
include: "rules/evaluate.smk"
include: "rules/figures.smk"
include: "rules/track.smk"


report: "rules/report/workflow.rst"


rule all:
    default_target: True
    input:
        rules.evaluate.input,
        rules.figures.input,
        rules.track.input,
