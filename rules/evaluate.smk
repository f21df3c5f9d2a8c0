rule evaluate:
    input:
        [f"{OUT}/evaluation/{d}/{p}/{r}/scores.json" for d, p, r in RUN.scored_cells],


# All protocols of the run in one pass over the cell's maps; the unrefined prior is the refiner "none".
rule evaluate_cell:
    input:
        manifest=rules.dataset.output.manifest,
        priors=rules.prior.output.maps,
        maps=lambda wc: refined_maps(wc.dataset, wc.detector, wc.refiner),
    output:
        per_image=f"{OUT}/evaluation/{{dataset}}/{{detector}}/{{refiner}}/per_image.parquet",
        curves=f"{OUT}/evaluation/{{dataset}}/{{detector}}/{{refiner}}/curves.npz",
        scores=f"{OUT}/evaluation/{{dataset}}/{{detector}}/{{refiner}}/scores.json",
    log:
        f"{OUT}/logs/evaluation/{{dataset}}/{{detector}}/{{refiner}}.log",
    benchmark:
        f"{OUT}/benchmarks/evaluation/{{dataset}}/{{detector}}/{{refiner}}.jsonl"
    conda:
        "../environment.yml"
    params:
        code=code("evaluate.py", registries=[METRICS]),
        protocols=RUN.protocols,
        extra_metrics=RUN.extra_metrics,
        choices=content_hash(protocol_files(RUN.protocols)),
    script:
        "../workflow_scripts/evaluate.py"
