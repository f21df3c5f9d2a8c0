"""Items of the catalogue by the names that people type."""

from collections.abc import Iterable, Iterator, Sequence

from sodlift.backbones import BACKBONES
from sodlift.catalogue import KINDS
from sodlift.catalogue._base import Item, Registered
from sodlift.config.run import Run
from sodlift.errors import ConfigError, UnknownNameError
from sodlift.problems import suggestion


def all_items(registered: Registered, kinds: Iterable[str] | None = None) -> list[Item]:
    """Return the items of all kinds, or of those named."""
    return [item for kind in (KINDS.names() if kinds is None else kinds) for item in KINDS.get(kind).items(registered)]


def resolve(names: Sequence[str], items: Sequence[Item]) -> list[Item]:
    """Return the items that ``names`` stand for, each once, in their order.

    A name is an address (``maps/DSS/ECSSD``), the beginning of some (``maps/DSS``, ``weights``), or one without the
    kind (``ECSSD``, ``DSS``, ``DSS/ECSSD``).

    Raises
    ------
    UnknownNameError
        If a name stands for nothing.
    ConfigError
        If a name without its kind fits several kinds.
    """
    chosen: dict[str, Item] = {}
    for name in names:
        found = _under(name, items) or [item for kind in KINDS.names() for item in _under(f"{kind}/{name}", items)]
        if not found:
            known = [*dict.fromkeys(item.address.split("/")[1] for item in items)]
            raise UnknownNameError(
                f"nothing in the catalogue is called '{name}'",
                expected=f"{', '.join(sorted(known))}, or a longer name such as maps/{known[-1]}",
                mend=suggestion(name, [*known, *(item.address for item in items)]) or "see `sodlift data status`",
            )
        kinds = {item.address.partition("/")[0] for item in found}
        if len(kinds) > 1:
            raise ConfigError(
                f"'{name}' is the name of several things",
                expected=f"one of: {', '.join(f'{kind}/{name}' for kind in sorted(kinds))}",
            )
        chosen |= {item.address: item for item in found}
    return list(chosen.values())


def needs(run: Run) -> list[str]:
    """Return the addresses of what a run needs and does not compute: data sets, published maps, weights."""
    datasets = [f"datasets/{name}" for name in run.datasets]
    maps = [f"maps/{d}/{s}" for s, d in run.prior_maps if hasattr(run.detector(d).options, "folder")]
    return [*datasets, *maps, *dict.fromkeys(_weights(run))]


def _weights(run: Run) -> Iterator[str]:
    rows = [*map(run.refiner, run.all_refiners), *map(run.detector, run.trained_detectors)]
    for settings in (row.parameters for row in rows):
        backbone = settings.get("backbone")
        if backbone and not settings.get("weights_file"):
            yield f"weights/{backbone}/{BACKBONES.get(backbone).choose(settings.get('weights'))[0]}"


def _under(name: str, items: Sequence[Item]) -> list[Item]:
    return [item for item in items if f"{item.address}/".startswith(f"{name.rstrip('/')}/")]
