"""Metrics, one public module a family."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from sodlift.registry import Registry, unknown_name

if TYPE_CHECKING:  # so that asking for names alone starts fast
    from sodlift.metrics._base import Metric

METRICS: "Registry[Metric]" = Registry("metric", "sodlift.metrics", "METRIC")


def all_metrics() -> "list[Metric]":
    """Return every registered metric family, in the order in which results list them."""
    return sorted((METRICS.get(name) for name in METRICS.names()), key=lambda metric: metric.order)


def metrics_with(extra: Collection[str] = ()) -> "list[Metric]":
    """Return the metric families that are always computed, and those extra ones that are asked for by name.

    Raises
    ------
    UnknownNameError
        If there is no metric of a name.
    """
    for name in extra:
        if name not in METRICS:
            raise unknown_name("metric", name, METRICS.names())
    asked = [METRICS.get(name) for name in extra]
    return [metric for metric in all_metrics() if not metric.extra or metric in asked]
