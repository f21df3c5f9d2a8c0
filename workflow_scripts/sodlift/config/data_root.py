"""Where the data lie: a module of its own, so that jobs which need only this depend on no other configuration code."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATA_VARIABLE, DATA_ROOT = "SODLIFT_DATA", "data"
"""The environment variable that overrides ``data_root``, and the value that it has where neither is given."""


def resolve_data_root(config: Mapping[str, Any]) -> Path:
    """Return the folder at which relative paths of the data start, for a configuration that has been checked."""
    return Path(os.environ.get(DATA_VARIABLE) or config.get("data_root", DATA_ROOT))
