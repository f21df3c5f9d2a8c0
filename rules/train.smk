rule train:
    input:
        [f"{OUT}/models/{refiner}/model.pt" for refiner in RUN.trained],
        [trained_model(detector) for detector in RUN.trained_detectors],


# A detector that is no network, such as DRFI. Of the params of a training it uses the seed alone.
rule train_detector:
    input:
        manifests=lambda wc: training_sets(RUN.detector(wc.detector).train),
        priors=lambda wc: training_maps(RUN.detector(wc.detector).train),
        cleared=lambda wc: cleared(wc.detector),
    output:
        model=f"{OUT}/models/detectors/{{detector}}/model.npz",
    log:
        f"{OUT}/logs/models/detectors/{{detector}}.log",
    benchmark:
        f"{OUT}/benchmarks/models/detectors/{{detector}}.jsonl"
    conda:
        "../environment.yml"
    threads: RUN.threads
    params:
        code=lambda wc: code("train_detector.py", RUN.detector(wc.detector)),
        row=lambda wc: plain(RUN.detector(wc.detector)),
        seed=RUN.seeds[0],
        device="cpu",
        checkpoint=f"{OUT}/models/detectors/{{detector}}.checkpoint.pt",
        tensorboard=f"{OUT}/tensorboard/{{detector}}",
    script:
        "../workflow_scripts/train_detector.py"


use rule train_detector as train_deep_detector with:
    output:
        model=f"{OUT}/models/detectors/{{detector}}/model.pt",
        history=f"{OUT}/models/detectors/{{detector}}/training.csv",
        report=f"{OUT}/models/detectors/{{detector}}/training.json",
        curves=f"{OUT}/models/detectors/{{detector}}/training.png",
    resources:
        gpu=gpus(),
    params:
        device=RUN.device,


# The names of the history, the report and the figure follow from the model's. The checkpoint is not declared, so that it
# survives a killed job and the next one goes on from it.
rule train_refiner:
    input:
        manifests=lambda wc: training_sets(RUN.refiner(wc.refiner).train),
        priors=lambda wc: training_maps(RUN.refiner(wc.refiner).train),
        pool=lambda wc: pool_of(wc.refiner),
        aligned=lambda wc: aligned_with(
            wc.refiner, RUN.refiner(wc.refiner).train.manifests
        ),
        cleared=lambda wc: cleared(wc.refiner),
    output:
        model=f"{OUT}/models/{{refiner}}/model.pt",
        history=f"{OUT}/models/{{refiner}}/training.csv",
        report=f"{OUT}/models/{{refiner}}/training.json",
        curves=f"{OUT}/models/{{refiner}}/training.png",
    log:
        f"{OUT}/logs/models/{{refiner}}.log",
    benchmark:
        f"{OUT}/benchmarks/models/{{refiner}}.jsonl"
    conda:
        "../environment.yml"
    threads: RUN.threads
    resources:
        gpu=gpus(),
    params:
        code=lambda wc: code("train.py", RUN.refiner(wc.refiner)),
        row=lambda wc: plain(RUN.refiner(wc.refiner)),
        seed=lambda wc: RUN.refiner(wc.refiner).seed,
        device=RUN.device,
        checkpoint=f"{OUT}/models/{{refiner}}.checkpoint.pt",
        # read where the configuration asks for it; a param that changed with it would train again
        tensorboard=f"{OUT}/tensorboard/{{refiner}}",
    script:
        "../workflow_scripts/train.py"
