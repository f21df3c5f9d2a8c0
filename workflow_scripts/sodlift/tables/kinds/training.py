"""Tables of what trainings cost: every model of a run, or those that a paper prints, with ours beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodlift.config.run import Run
from sodlift.tables.costs import COSTS, needed, trained_models
from sodlift.tables.kinds._base import Written
from sodlift.tables.measures import Measure

if TYPE_CHECKING:
    from sodlift.tables.spec import TableSpec


class _TrainingKind:
    """Tables whose numbers are costs of trainings."""

    @property
    def measures(self) -> Mapping[str, Measure]:
        """The costs."""
        return {name: cost.measure for name, cost in COSTS.items()}

    def inputs(self, run: Run, row: Mapping[str, Any]) -> dict[str, list[Path]]:
        """Return the models that the row asks for, by its variants or all, and the reports of their trainings."""
        models = trained_models(run)
        wanted = {name for variant in row.get("variants", []) for name in variant["detectors"].values()}
        shown = [models[name] for name in needed(models, wanted or models)]
        return {"models": [model.file for model in shown], "reports": [model.report for model in shown]}

    def make(self, spec: "TableSpec", run: Run) -> Written:
        """Make a table of the run; raises DataError or WeightsError if a file is missing or broken."""
        from sodlift.tables.training import cost_table  # noqa: PLC0415 - pandas is slow to import

        return cost_table(spec, run)


KIND = _TrainingKind()
