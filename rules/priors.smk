rule priors:
    input:
        [f"{OUT}/priors/{dataset}/{detector}" for dataset, detector in RUN.prior_maps],


rule prior:
    input:
        manifest=rules.dataset.output.manifest,
    output:
        maps=directory(f"{OUT}/priors/{{dataset}}/{{detector}}"),
    log:
        f"{OUT}/logs/priors/{{dataset}}/{{detector}}.log",
    benchmark:
        f"{OUT}/benchmarks/priors/{{dataset}}/{{detector}}.jsonl"
    conda:
        "../environment.yml"
    threads: RUN.threads
    params:
        code=lambda wc: code("prior.py", RUN.detector(wc.detector)),
        row=lambda wc: plain(RUN.detector(wc.detector)),
    script:
        "../workflow_scripts/prior.py"
