rule datasets:
    input:
        expand(f"{OUT}/datasets/{{dataset}}/manifest.csv", dataset=RUN.datasets),


# The manifest is what every later stage iterates over; its param `files`
# (a hash of names and sizes) notices files that were added, removed or replaced.
rule dataset:
    input:
        obtained=lambda wc: obtained(f"datasets/{wc.dataset}"),
    output:
        manifest=f"{OUT}/datasets/{{dataset}}/manifest.csv",
        health_json=f"{OUT}/datasets/{{dataset}}/health.json",
        health_md=f"{OUT}/datasets/{{dataset}}/health.md",
    log:
        f"{OUT}/logs/datasets/{{dataset}}.log",
    benchmark:
        f"{OUT}/benchmarks/datasets/{{dataset}}.jsonl"
    conda:
        "../environment.yml"
    params:
        code=lambda wc: code("dataset.py", RUN.dataset(wc.dataset)),
        row=lambda wc: plain(RUN.dataset(wc.dataset)),
        expected=lambda wc: RUN.dataset(wc.dataset).expected,
        subset=lambda wc: RUN.subset_parameters(wc.dataset),
        files=lambda wc: (
            "obtained"
            if obtained(f"datasets/{wc.dataset}")
            else fingerprint(RUN.dataset(wc.dataset), RUN.data_root)
        ),
    script:
        "../workflow_scripts/dataset.py"
