rule priors:
    input:
        [f"{OUT}/priors/{dataset}/{detector}" for dataset, detector in RUN.prior_maps],


scattergather:
    prior=RUN.shards.jobs,


# The param `files` (a hash of names and sizes) notices a folder of maps, or a model, that changed.
rule prior:
    input:
        manifest=rules.dataset.output.manifest,
        obtained=lambda wc: obtained(f"maps/{wc.detector}/{wc.dataset}"),
        model=lambda wc: trained_model(wc.detector),
        others=lambda wc: other_maps(wc.dataset, wc.detector),
        parts=parts,
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
    resources:
        gpu=lambda wc: gpus(RUN.detector(wc.detector).kind.deep),
    params:
        code=lambda wc: code("prior.py", RUN.detector(wc.detector)),
        row=lambda wc: plain(RUN.detector(wc.detector)),
        machine=lambda wc: machine(wc.detector),
        files=lambda wc: (
            "obtained"
            if obtained(f"maps/{wc.detector}/{wc.dataset}")
            else map_files(wc.dataset, wc.detector)
        ),
    script:
        "../workflow_scripts/prior.py"


# One part of a large data set: every so many-th of its images. Parts are removed once their maps are joined.
rule prior_part:
    input:
        manifest=rules.dataset.output.manifest,
        model=lambda wc: trained_model(wc.detector),
    output:
        maps=temp(
            directory(f"{OUT}/priors/.parts/{{dataset}}/{{detector}}/{{scatteritem}}")
        ),
    log:
        f"{OUT}/logs/priors/{{dataset}}/{{detector}}/{{scatteritem}}.log",
    benchmark:
        f"{OUT}/benchmarks/priors/{{dataset}}/{{detector}}/{{scatteritem}}.jsonl"
    conda:
        "../environment.yml"
    threads: RUN.threads
    resources:
        gpu=lambda wc: gpus(RUN.detector(wc.detector).kind.deep),
    params:
        code=lambda wc: code("prior_part.py", RUN.detector(wc.detector)),
        row=lambda wc: plain(RUN.detector(wc.detector)),
        machine=lambda wc: machine(wc.detector),
        files=lambda wc: map_files(wc.dataset, wc.detector),
    script:
        "../workflow_scripts/prior_part.py"
