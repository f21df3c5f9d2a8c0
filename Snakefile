# sodlift: prior maps in, refined maps and the papers' tables out. One stage a file in rules/, one job a
# (data set, detector, refiner) cell. Adding a data set, detector, refiner, protocol or table is a row in config/.
from snakemake.utils import min_version

min_version("9.14")

if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/datasets.smk"
include: "rules/health.smk"
include: "rules/priors.smk"
include: "rules/pools.smk"
include: "rules/train.smk"
include: "rules/refine.smk"
include: "rules/evaluate.smk"
include: "rules/aggregate.smk"


wildcard_constraints:
    dataset=any_of(RUN.all_datasets),
    detector=any_of(RUN.all_detectors),
    pool=any_of(RUN.all_pools),
    refiner=any_of([UNREFINED, *RUN.all_refiners]),
    table=any_of(RUN.tables),
    figure=any_of(RUN.figures),


rule all:
    default_target: True
    input:
        rules.datasets.input,
        rules.no_leakage.output,
        rules.priors.input,
        rules.refine.input,
        rules.tables.input,
