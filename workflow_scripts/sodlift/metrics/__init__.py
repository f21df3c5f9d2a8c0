"""Metrics, one public module a family, and the named protocols under which they are computed."""

from typing import TYPE_CHECKING

from sodlift.registry import Registry

if TYPE_CHECKING:  # so that asking for names alone starts fast
    from sodlift.metrics._base import Metric

METRICS: "Registry[Metric]" = Registry("metric", "sodlift.metrics", "METRIC", exclude=("evaluate", "protocols"))


def all_metrics() -> "list[Metric]":
    """Return every registered metric family, in the order in which results list them."""
    return sorted((METRICS.get(name) for name in METRICS.names()), key=lambda metric: metric.order)
