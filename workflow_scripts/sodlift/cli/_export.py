"""What ``sodlift export`` does, once its arguments are read."""

import argparse

from sodlift.cli._outputs import check_outputs
from sodlift.cli._settings import settings_of
from sodlift.errors import ConfigError
from sodlift.inference.export import export_onnx


def export(arguments: argparse.Namespace) -> None:
    """Write the ONNX file; raises SodliftError if anything that is given is wrong."""
    check_outputs({"--onnx": arguments.onnx}, {arguments.model.resolve()})
    if arguments.onnx.exists() and not arguments.overwrite:
        raise ConfigError("there already", where=arguments.onnx, mend="add --overwrite, or choose another name")
    largest = export_onnx(arguments.model, arguments.onnx, arguments.size, settings_of(arguments.set))
    print(f"{arguments.onnx}: equal to the model within {largest:.1e} on a test image")
