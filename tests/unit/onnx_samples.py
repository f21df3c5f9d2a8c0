"""Small models in ONNX files, made node by node, and images for them."""

import numpy as np
import onnx
from onnx import helper, numpy_helper
from PIL import Image

from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors.onnx import OnnxOptions, detect, load
from sodlift.options import build

UNIT = {"preset": "unit"}
GREY = ("Conv", ["x", "mean"], ["y"])
"""The node that averages the channels: of a grey image the map is the image."""
MEAN = (*GREY[:2], ["m"])
"""The same, for further nodes."""
WEIGHTS = {
    "mean": np.full((1, 3, 1, 1), 1 / 3),
    "two": np.stack([np.full((3, 1, 1), 1.0), np.full((3, 1, 1), -2.0)]),
    "three": np.array(3.0),
    "zero": np.array(0.0),
}
"""Constants that nodes may name."""


def smooth(height, width, seed=0):
    """Return a colour image of some smooth blobs."""
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def grey(height, width):
    return np.repeat(smooth(height, width)[..., :1], 3, axis=2)


def save(path, *nodes, inputs=("x",), shape=(1, 3, "h", "w"), outputs=("y",), kind=np.float32, gives=None, **saving):
    """Write a model of nodes (operator, inputs, outputs, attributes) on the image ``x``; return its file.

    ``inputs`` are names, all of one ``shape``, or a mapping of names to shapes.
    """
    shapes = inputs if isinstance(inputs, dict) else dict.fromkeys(inputs, shape)
    number = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    given = helper.np_dtype_to_tensor_dtype(np.dtype(gives or kind))
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if node[3:] else {})) for node in nodes or [GREY]],
        "sample",
        [helper.make_tensor_value_info(name, number, of) for name, of in shapes.items()],
        [helper.make_tensor_value_info(name, given, None) for name in outputs],
        [numpy_helper.from_array(values.astype(kind), name) for name, values in WEIGHTS.items()],
    )
    # versions that every onnxruntime of these years knows
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path, **saving)
    return path


def options(file, **given):
    return build(OnnxOptions, {"file": file, "normalisation": UNIT, **given})


def found(chosen, image):
    return detect(load(chosen), chosen, image)


def images(folder, sizes):
    folder.mkdir()
    entries = []
    for i, size in enumerate(sizes):
        Image.fromarray(smooth(*size, seed=i)).save(folder / f"{i:02d}.png")
        entries.append(Entry(f"{i:02d}", folder / f"{i:02d}.png", None, *size, ""))
    return Manifest("toy", tuple(entries))
