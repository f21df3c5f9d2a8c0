"""The option ``--set NAME=VALUE``: options of a refiner by name, dotted names being options within options."""

import argparse
from collections.abc import Iterable
from typing import Any

import yaml

from sodlift.errors import ConfigError


def add_settings(parser: argparse.ArgumentParser, text: str) -> None:
    """Declare ``--set``; ``text`` says what it sets."""
    parser.add_argument("--set", metavar="NAME=VALUE", nargs="+", action="extend", default=[], help=text)


def settings_of(given: Iterable[str]) -> dict[str, Any]:
    """Return the values, read as YAML, with ``recipe.steps=5`` as ``{"recipe": {"steps": 5}}``; raises ConfigError."""
    found: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        *parents, name = key.split(".")
        inner = found
        for parent in parents:
            inner = inner.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"'--set {text}' contradicts another value of '{parent}'", expected="one of them")
        if not equals or not all([*parents, name]):
            raise ConfigError(f"cannot understand '--set {text}'", expected="NAME=VALUE, such as recipe.steps=500")
        try:
            inner[name] = yaml.safe_load(value)
        except yaml.YAMLError as cause:
            raise ConfigError(f"cannot read the value of '--set {text}'", expected="a YAML value") from cause
    return found


def merged(own: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return ``own`` with ``settings`` over it, mappings within mappings likewise."""
    return own | {
        key: merged(own[key], value) if isinstance(value, dict) and isinstance(own.get(key), dict) else value
        for key, value in settings.items()
    }
