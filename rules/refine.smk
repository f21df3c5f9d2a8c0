rule refine:
    input:
        [refined_maps(*cell) for cell in RUN.refined_cells],


# The param `row` has a hash of names and sizes that notices the file of an outside refiner that changed.
rule refine_maps:
    input:
        manifest=rules.dataset.output.manifest,
        priors=rules.prior.output.maps,
        model=lambda wc: [
            f"{OUT}/models/{name}/model.pt"
            for name in [RUN.model_of(wc.refiner)]
            if name
        ],
        pool=lambda wc: pool_of(wc.refiner),
        aligned=lambda wc: aligned_with(wc.refiner, [wc.dataset]),
    output:
        maps=directory(f"{OUT}/refined/{{dataset}}/{{detector}}/{{refiner}}"),
    log:
        f"{OUT}/logs/refined/{{dataset}}/{{detector}}/{{refiner}}.log",
    benchmark:
        f"{OUT}/benchmarks/refined/{{dataset}}/{{detector}}/{{refiner}}.jsonl"
    conda:
        "../environment.yml"
    threads: RUN.threads
    resources:
        gpu=lambda wc: gpus(RUN.refiner(wc.refiner).kind.deep),
    params:
        code=lambda wc: code("refine.py", RUN.refiner(wc.refiner)),
        row=lambda wc: plain(RUN.refiner(wc.refiner)) | refiner_files(wc.refiner),
        device=RUN.device,
        precision=RUN.precision,
        on_error=RUN.on_error,
    script:
        "../workflow_scripts/refine.py"
