"""Training of MIRM (Sec. 5.3): labels and foreground weights are read off the priors; no ground truth is used."""

import hashlib
import json
import sys
from dataclasses import asdict

import torch
from torch import Tensor, nn

import sodlift
from sodlift.arrays import FloatMap
from sodlift.backbones import BACKBONES
from sodlift.backbones._base import normalise
from sodlift.backbones._weights import load_pretrained
from sodlift.errors import ConfigError
from sodlift.refiners.mirm import loss as mirm_loss
from sodlift.refiners.mirm.network import build
from sodlift.refiners.mirm.options import USABLE_MAX, USABLE_MIN, MirmOptions
from sodlift.training.data import Batch, Batches, Samples, job_files
from sodlift.training.engine import Group, Run, Sgd, fit
from sodlift.training.job import TrainingJob
from sodlift.training.model_file import ModelFile


def refuse(stored: FloatMap, prior: FloatMap, options: MirmOptions) -> str:
    """Say why a sample cannot be learnt from: no certain foreground, or no background; empty if it can."""
    if stored.max() < USABLE_MAX or prior.max() < options.theta_fg:
        return "prior without certain foreground"
    if stored.min() > USABLE_MIN or prior.min() > options.theta_abg:
        return "prior without background"
    return ""


def training_hash(job: TrainingJob) -> str:
    """Return a digest of the job's images and of where their priors come from."""
    digest = hashlib.sha256()
    for manifest, priors in job.manifests_and_priors:
        rows = [(e.stem, e.image_sha256, priors.records[e.stem].status) for e in manifest.entries]
        digest.update(json.dumps([manifest.dataset, rows]).encode())
        for stem in priors.usable(manifest.stems):
            digest.update(hashlib.sha256(priors.path(stem).read_bytes()).digest())
    return digest.hexdigest()


def train(options: MirmOptions, job: TrainingJob) -> None:
    """Train MIRM and write ``job.output``.

    Raises
    ------
    DataError
        If no image is usable.
    ConfigError
        If the weights' folded normalisation is to be trained by batch statistics.
    WeightsError
        If the pretrained weights are missing or of another network.
    TrainingError
        If the loss is no longer a number.
    """
    backbone = BACKBONES.get(options.backbone)
    weights, entry = backbone.choose(options.weights)
    if entry.folded_bn and options.backbone_norm == "batch" and options.backbone_training == "tuned":
        raise ConfigError(
            f"{entry.title}: its batch normalisation is folded, so batch statistics would destroy its features",
            where="backbone_norm",
            expected="frozen",
        )
    torch.manual_seed(job.seed)
    network = build(options, backbone, load_pretrained(backbone, entry, options.weights_file))
    origin = f"{entry.title}, {entry.checksum}"
    samples = Samples(job_files(job), options.train_size, lambda stored, prior: refuse(stored, prior, options))
    print(samples.summary(), file=sys.stderr)
    head = [p for name, p in network.named_parameters() if not name.startswith("backbone.")]
    groups = [Group(head, options.head_lr)]
    if options.backbone_training == "tuned":
        groups.insert(0, Group(list(network.backbone.parameters()), options.backbone_lr))
    training = training_hash(job)
    settings = json.loads(json.dumps(asdict(options), default=str))
    sgd = Sgd(options.steps, options.momentum, options.weight_decay, options.power)
    run = Run(
        identity=json.dumps([settings, job.seed, training, sodlift.__version__]),
        seed=job.seed,
        checkpoint=job.checkpoint,
        log=job.log,
        device=job.device,
        threads=job.threads,
        precision=options.precision,
    )

    def loss(module: nn.Module, batch: Batch) -> Tensor:
        weights = mirm_loss.foreground_weights(batch.priors, options.theta_fg)
        logits = module(normalise(batch.images, entry), weights)
        return mirm_loss.loss(logits, batch.priors, options.theta_afg, options.theta_abg, options.loss_weighting)

    batches = Batches(samples, options.batch, job.seed, hflip=0.5 if options.hflip else 0.0, invert=options.invert)
    fit(network, groups, batches, loss, sgd, run)
    ModelFile(
        refiner="mirm",
        options=settings,
        backbone=options.backbone,
        weights=weights,
        weights_origin=origin,
        training=training,
        code_version=sodlift.__version__,
        state={key: value.cpu() for key, value in network.state_dict().items()},
    ).save(job.output)
    job.checkpoint.unlink(missing_ok=True)
