"""From a configuration to a run, with every mistake of the configuration and its registry files in one error."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sodlift.config.checks import (
    coverage_problems,
    leak_problems,
    name_problems,
    overlap_problems,
    protocol_problems,
    scoring_problems,
    twice_problems,
)
from sodlift.config.data_root import resolve_data_root
from sodlift.config.learning import training_problems
from sodlift.config.registries import ROWS, SHIPPED, read_rows, reference_problems
from sodlift.config.run import Run, Shards, with_seeds
from sodlift.datasets.subset import Subset, read_subset
from sodlift.document import Document, read_document
from sodlift.fetch.store import RESOURCES
from sodlift.metrics import METRICS
from sodlift.problems import ConfigProblems, Problem, raise_any
from sodlift.schema import defaults, read_schema, schema_problems


def load_run(config: Mapping[str, Any] | str | Path) -> Run:
    """Check a configuration and resolve it.

    Parameters
    ----------
    config : mapping or path
        The configuration, or the YAML file that holds it. Paths in it are relative to the working directory; what it
        names is shipped (``SHIPPED``) or in the registry files that it adds.

    Raises
    ------
    ConfigError
        One error that lists everything that is wrong: by the schemas, between registry rows, and between the parts of
        the run.
    """
    document = Document(config) if isinstance(config, Mapping) else read_document(config)
    schema = read_schema(SHIPPED / "schemas" / "config.schema.json")
    problems = document.locate(schema_problems(document.data, schema))
    settings = _usable(document.data, schema, problems)

    files = {kind: read_rows(kind, settings["registries"].get(kind, ()), problems) for kind in ROWS}
    problems += reference_problems(files["datasets"], files["detectors"])
    problems += training_problems(files["datasets"], files["detectors"], files["refiners"], files["pools"])
    subset = _subsets(settings["subset"], document, problems)
    tables = read_document(SHIPPED / "tables.yaml")
    problems += tables.locate(schema_problems(tables.data, read_schema(SHIPPED / "schemas" / "tables.schema.json")))
    known: dict[str, Sequence[str]] = {
        # what a run names; a pool is named by its refiners
        **{kind: file.names for kind, file in files.items() if kind in settings},
        "protocols": sorted(path.stem for path in (SHIPPED / "protocols").glob("*.yaml")),
        "extra_metrics": METRICS.names(),
        "tables": list(tables.data),
    }
    problems += document.locate(
        [
            *name_problems(settings, known),
            *twice_problems(settings, files["detectors"], files["refiners"]),
            *coverage_problems(settings, files["detectors"], known),
            *scoring_problems(settings, files["datasets"], files["detectors"], document.data),
            *overlap_problems(settings, files["datasets"], files["detectors"], files["refiners"]),
            *leak_problems(settings, files["datasets"], files["detectors"], files["refiners"]),
            *protocol_problems(settings, tables.data, files["figures"], known),
        ]
    )
    raise_any(problems, document.file or "the configuration")
    seeds = tuple(settings["seeds"])
    refiners = {name: files["refiners"].rows[name] for name in settings["refiners"]}
    models = dict.fromkeys(row.model_of for row in refiners.values() if row.model_of and row.model_of not in refiners)
    return Run(
        results=Path(settings["results"]),
        data_root=resolve_data_root(settings),
        resources=Path(os.environ.get(RESOURCES) or settings["resources"]),
        offline=settings["offline"],
        seeds=seeds,
        device=settings["device"],
        precision=settings["precision"],
        threads=settings["threads"],
        on_error=settings["on_error"],
        test_sets=tuple(settings["datasets"]),
        detectors=tuple(settings["detectors"]),
        protocols=tuple(settings["protocols"]),
        extra_metrics=tuple(settings["extra_metrics"]),
        table_rows={name: tables.data[name] for name in settings["tables"]},
        figure_rows={name: files["figures"].rows[name] for name in settings["figures"]},
        baseline_only=tuple(settings["baseline_only"]),
        shards=Shards(**settings["shards"]),
        subset=subset,
        known_leaks=settings["known_leaks"],
        dataset_rows=files["datasets"].rows,
        detector_rows=files["detectors"].rows,
        pool_rows=files["pools"].rows,
        refiner_rows=with_seeds(refiners, seeds),
        model_rows=with_seeds({name: files["refiners"].rows[name] for name in models}, seeds),
    )


def _subsets(asked: Mapping[str, Any], document: Document, problems: list[Problem]) -> dict[str, Subset]:
    """Make the subsets, by data set; whatever is wrong with one is added to ``problems``."""
    made = {}
    for name, subset in asked.items():
        try:
            made[name] = read_subset(subset, f"subset.{name}")
        except ConfigProblems as refusal:
            problems += document.locate(refusal.problems)
    return made


def _usable(data: Mapping[str, Any], schema: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return the settings that can be looked into: wrong or missing ones are empty, for one report of each mistake."""
    wrong = {problem.path.partition(".")[0].partition("[")[0] for problem in problems}
    empty: dict[str, Any] = {"array": [], "object": {}}
    blank = {key: empty.get(part.get("type", "")) for key, part in schema["properties"].items()}
    return {**blank, **defaults(schema), **{key: value for key, value in data.items() if key not in wrong}}
