import os
import re
import sys
from pathlib import Path

# Jobs inherit this. By default glibc hands large tensors back to the kernel after every step of a training and faults
# them in again at the next, which took a quarter of the time on two CPU cores.
os.environ.setdefault("MALLOC_MMAP_MAX_", "0")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**34))

# Jobs import the library that lies beside the rules, not another copy that may be installed.
ROOT = Path(str(workflow.current_basedir.get_path_or_uri(secret_free=False))).parent
LIBRARY = str(ROOT / "workflow_scripts")
sys.path.insert(0, LIBRARY)
SEARCHED = [LIBRARY, *filter(None, os.getenv("PYTHONPATH", "").split(os.pathsep))]
os.environ |= {"PYTHONPATH": os.pathsep.join(dict.fromkeys(SEARCHED))}

from sodlift.catalogue._base import Registered, is_filled
from sodlift.catalogue.names import all_items
from sodlift.code_hash import code_hash, content_hash
from sodlift.config.load import load_run
from sodlift.config.rows import below
from sodlift.config.run import UNREFINED
from sodlift.datasets.sources import fingerprint
from sodlift.errors import SodliftError
from sodlift.fetch.store import OFFLINE, RESOURCES, Store
from sodlift.metrics import METRICS

try:
    RUN = load_run(config)
except SodliftError as error:
    raise WorkflowError(str(error))

OUT = RUN.results
os.environ |= {RESOURCES: str(RUN.resources)} | ({OFFLINE: "1"} if RUN.offline else {})
STORE = Store.default()
REGISTERED = Registered(RUN.dataset_rows, RUN.detector_rows, RUN.data_root)
CATALOGUE = {i.address: i for i in all_items(REGISTERED, ["datasets", "maps"])}


def any_of(names):
    """A wildcard constraint: one of the names and nothing else."""
    return "|".join(map(re.escape, names))


def code(script, *rows, registries=()):
    """Hash of the code that a job runs: the adapter, all that it imports, and what it loads by name."""
    by_name = [
        *(m for row in rows for m in row.code),
        *(r.module(n) for r in registries for n in r.names()),
    ]
    return code_hash(ROOT / "workflow_scripts" / script, by_name)


def plain(row):
    """What a job needs of a registry row, as plain data: a change of it re-runs the job."""
    return {"id": row.id, "type": row.type, "options": row.parameters}


def obtained(address):
    """What to wait for where something is not in place, or once was not and has been put there by the workflow."""
    item, state = CATALOGUE.get(address), Path(f"{OUT}/obtained/{address}.json")
    place = item.place(STORE) if item is not None and item.release.files else None
    return [state] if place and (state.exists() or not is_filled(place)) else []


def map_files(dataset, detector):
    """Hash of the files that a detector's maps of a data set are made of, as far as they are files at all."""
    row = RUN.detector(detector)
    return row.kind.fingerprint(below(row.options, RUN.data_root), dataset)


def refiner_files(refiner):
    """Hash of the files that a refiner's maps are made of; nothing for others, whose parameters stay what they were."""
    row = RUN.refiner(refiner)
    found = row.kind.fingerprint(below(row.options, RUN.data_root))
    return {"files": found} if found else {}


def cleared(name):
    """The mark that the data sets were compared before a detector or refiner was trained, whatever the seed."""
    return f"{OUT}/health/cleared/{name.partition('@')[0]}"


def trained_model(detector):
    """The model of a detector that the run trains, as a list to wait for."""
    row = RUN.detector(detector)
    file = "model.pt" if row.kind.deep else "model.npz"
    return [f"{OUT}/models/detectors/{detector}/{file}"] if row.train else []


def training_sets(train):
    """The manifests that a detector or refiner is trained on, one for each of its maps where it learns from maps."""
    return [f"{OUT}/datasets/{name}/manifest.csv" for name in train.manifests]


def training_maps(train):
    """The maps that a detector or refiner learns from, if any."""
    return [f"{OUT}/priors/{maps.dataset}/{maps.detector}" for maps in train.maps]


def pool_of(refiner):
    """The pool that a refiner compares with, as a list to wait for."""
    pool = RUN.refiner(refiner).pool
    return [f"{OUT}/pools/{pool}"] if pool else []


def aligned_with(refiner, datasets):
    """The alignment of data sets with the refiner's pool, if it has one."""
    pool = RUN.refiner(refiner).pool
    return [f"{OUT}/aligned/{name}/{pool}" for name in datasets if pool]


def machine(detector):
    """What a deep detector runs on; nothing for others, whose maps are not made again when it changes."""
    settings = {"device": RUN.device, "precision": RUN.precision}
    return settings if RUN.detector(detector).kind.deep else {}


def gpus(deep=True):
    """GPUs of a job: one for a network. Two trainings may share the cores where the run asks for the CPU."""
    return int(deep and RUN.device != "cpu")


def other_maps(dataset, detector):
    """The maps of another detector that this one takes, as a list to wait for."""
    needed = RUN.detector(detector).needs
    return [f"{OUT}/priors/{dataset}/{needed}"] if needed else []


def parts(wildcards):
    """The maps of all parts of a data set that is large enough to be divided among jobs."""
    if not RUN.sharded(wildcards.dataset, wildcards.detector):
        return []
    folder = f"{OUT}/priors/.parts/{wildcards.dataset}/{wildcards.detector}"
    return gather.prior(f"{folder}/{{scatteritem}}")


def protocol_files(names):
    return [ROOT / "config" / "protocols" / f"{name}.yaml" for name in names]


def refined_maps(dataset, detector, refiner):
    """The maps that a cell is scored by: the refined ones, or the prior's own."""
    if refiner == UNREFINED:
        return f"{OUT}/priors/{dataset}/{detector}"
    return f"{OUT}/refined/{dataset}/{detector}/{refiner}"


def printed_files():
    """What the tables are and what the papers print in them."""
    return [ROOT / "config/tables.yaml", *ROOT.glob("config/paper_values/*.csv")]


def drawn_of(name):
    """What a figure is drawn of, which is its type's to say."""
    row = RUN.figure_rows[name]
    try:
        return dict(row.kind.inputs(row.options, RUN))
    except SodliftError as error:
        raise WorkflowError(f"figure '{name}': {error}")


# Asked for all at once: a figure that the run has nothing for is told before anything is made.
DRAWN_OF = {name: drawn_of(name) for name in RUN.figures}
