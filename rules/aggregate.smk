from sodlift.tables.kinds import KINDS


# Tables and figures are rows of config/tables.yaml and config/figures.yaml: any of them is a target of its own.
# A run for inference only has nothing to score.
rule tables:
    input:
        [
            f"{OUT}/tables/{name}.csv"
            for name in ("summary", "significance")
            if RUN.scored_cells
        ],
        expand(f"{OUT}/tables/{{table}}.csv", table=RUN.tables),
        expand(f"{OUT}/figures/{{figure}}.pdf", figure=RUN.figures),


# No table is made of a run in which a refiner is tested on images that it was trained on.
rule summary:
    input:
        scores=rules.evaluate.input,
        no_leakage=rules.no_leakage.output.mark,
    output:
        summary=f"{OUT}/tables/summary.csv",
        counts=f"{OUT}/tables/counts.csv",
    log:
        f"{OUT}/logs/tables/summary.log",
    benchmark:
        f"{OUT}/benchmarks/tables/summary.jsonl"
    conda:
        "../environment.yml"
    params:
        code=code("summary.py"),
        run=lambda wc: RUN.facts,
    script:
        "../workflow_scripts/summary.py"


# The bootstrap and the tests of every refined cell, once for all tables.
rule significance:
    input:
        per_image=[
            f"{OUT}/evaluation/{d}/{p}/{r}/per_image.parquet"
            for d, p, r in RUN.scored_cells
        ],
    output:
        significance=f"{OUT}/tables/significance.csv",
    log:
        f"{OUT}/logs/tables/significance.log",
    benchmark:
        f"{OUT}/benchmarks/tables/significance.jsonl"
    conda:
        "../environment.yml"
    params:
        code=code("significance.py"),
        run=lambda wc: RUN.facts,
    script:
        "../workflow_scripts/significance.py"


# What it is made of is its kind's to say: scores, or models.
rule table:
    input:
        unpack(
            lambda wc: KINDS.get(RUN.table_rows[wc.table]["kind"]).inputs(
                RUN, RUN.table_rows[wc.table]
            )
        ),
    output:
        csv=f"{OUT}/tables/{{table}}.csv",
        markdown=f"{OUT}/tables/{{table}}.md",
        latex=f"{OUT}/tables/{{table}}.tex",
    log:
        f"{OUT}/logs/tables/{{table}}.log",
    benchmark:
        f"{OUT}/benchmarks/tables/{{table}}.jsonl"
    conda:
        "../environment.yml"
    params:
        code=lambda wc: code_hash(
            ROOT / "workflow_scripts" / "table.py",
            [KINDS.module(RUN.table_rows[wc.table]["kind"])],
        ),
        printed=content_hash(printed_files() + protocol_files(RUN.protocols)),
        run=lambda wc: RUN.facts,
    script:
        "../workflow_scripts/table.py"


rule figure:
    input:
        unpack(lambda wc: DRAWN_OF[wc.figure]),
    output:
        pdf=f"{OUT}/figures/{{figure}}.pdf",
        png=f"{OUT}/figures/{{figure}}.png",
    log:
        f"{OUT}/logs/figures/{{figure}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/{{figure}}.jsonl"
    conda:
        "../environment.yml"
    params:
        code=lambda wc: code("figure.py", RUN.figure_rows[wc.figure]),
        row=lambda wc: plain(RUN.figure_rows[wc.figure]),
        run=lambda wc: RUN.facts,
    script:
        "../workflow_scripts/figure.py"
