rule priors:
    input:
        [f"{OUT}/priors/{dataset}/{detector}" for dataset, detector in RUN.prior_maps],


# The param `files` (a hash of names and sizes) notices a folder of maps that changed.
rule prior:
    input:
        manifest=rules.dataset.output.manifest,
        obtained=lambda wc: obtained(f"maps/{wc.detector}/{wc.dataset}"),
    output:
        maps=directory(f"{OUT}/priors/{{dataset}}/{{detector}}"),
        health_json=f"{OUT}/health/maps/{{dataset}}/{{detector}}.json",
        health_md=f"{OUT}/health/maps/{{dataset}}/{{detector}}.md",
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
        files=lambda wc: (
            "obtained"
            if obtained(f"maps/{wc.detector}/{wc.dataset}")
            else map_files(wc.dataset, wc.detector)
        ),
    script:
        "../workflow_scripts/prior.py"
