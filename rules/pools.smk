# What refiners compare images with. It depends on images alone, so that all detectors and refiners share it.
rule pool:
    input:
        manifests=lambda wc: [
            f"{OUT}/datasets/{name}/manifest.csv"
            for name in RUN.pool(wc.pool).datasets
        ],
    output:
        pool=directory(f"{OUT}/pools/{{pool}}"),
    log:
        f"{OUT}/logs/pools/{{pool}}.log",
    benchmark:
        f"{OUT}/benchmarks/pools/{{pool}}.jsonl"
    conda:
        "../environment.yml"
    threads: RUN.threads
    params:
        code=lambda wc: code("pool.py", RUN.pool(wc.pool)),
        row=lambda wc: plain(RUN.pool(wc.pool)),
    script:
        "../workflow_scripts/pool.py"


rule align:
    input:
        manifest=rules.dataset.output.manifest,
        pool=rules.pool.output.pool,
    output:
        aligned=directory(f"{OUT}/aligned/{{dataset}}/{{pool}}"),
    log:
        f"{OUT}/logs/aligned/{{dataset}}/{{pool}}.log",
    benchmark:
        f"{OUT}/benchmarks/aligned/{{dataset}}/{{pool}}.jsonl"
    conda:
        "../environment.yml"
    threads: RUN.threads
    params:
        code=lambda wc: code("align.py", RUN.pool(wc.pool)),
        row=lambda wc: plain(RUN.pool(wc.pool)),
    script:
        "../workflow_scripts/align.py"
