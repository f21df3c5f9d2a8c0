"""Networks in ONNX files as detectors: what they are fed, and what is made of their output."""

import numpy as np
import pytest
import torch
from onnx_samples import MEAN, found, grey, images, options, save, smooth
from torch import nn
from torch.nn import functional

from sodlift.arrays import read_image, resize_image
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import Machine
from sodlift.detectors.onnx import OnnxOptions
from sodlift.mapset import MapSet, new_mapset
from sodlift.options import build
from sodlift.training.network_io import Normalisation

# against torch


class Network(nn.Module):
    """Convolutions, attention and an upsampling: small, and of what modern detectors are made of."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 96, 3, 2, 1)
        )
        self.deeper = nn.Sequential(nn.InstanceNorm2d(96), nn.ReLU(), nn.Conv2d(96, 257, 1), nn.SiLU())
        self.norm, self.attention = nn.LayerNorm(257), nn.MultiheadAttention(257, 1, batch_first=True)
        self.up, self.last = nn.ConvTranspose2d(257, 33, 4, 2, 1), nn.Conv2d(33, 1, 3, padding=1)

    def forward(self, x):
        deep = self.deeper(self.encoder(x))
        tokens = self.norm(deep.flatten(2).transpose(1, 2))
        deep = deep + self.attention(tokens, tokens, tokens)[0].transpose(1, 2).reshape(deep.shape)
        logits = functional.interpolate(self.last(self.up(deep)), size=x.shape[2:], mode="bilinear")
        return 4 * logits, torch.sigmoid(4 * logits)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The network, its file for any size and its file for 40x56."""
    torch.manual_seed(0)
    net, folder = Network().eval(), tmp_path_factory.mktemp("models")
    sides = {2: torch.export.Dim("h", min=8, max=512), 3: torch.export.Dim("w", min=8, max=512)}
    for name, size, dynamic in (("any", (41, 59), (sides,)), ("fixed", (40, 56), None)):
        torch.onnx.export(
            net,
            (torch.zeros(1, 3, *size),),
            folder / f"{name}.onnx",
            input_names=["image"],
            output_names=["logits", "saliency"],
            dynamic_shapes=dynamic,
            opset_version=18,
            verbose=False,
        )
    return net, folder / "any.onnx", folder / "fixed.onnx"


def by_torch(net, image):
    """Return the network's map of an image, ImageNet's normalisation written out."""
    x = torch.from_numpy(image).permute(2, 0, 1)[None].double() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (x - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    with torch.inference_mode():
        return net(x.float())[1]


@pytest.mark.parametrize("size", [(33, 47), (61, 33), (100, 75)])
def test_an_exported_network_gives_torchs_map_of_images_of_any_size(network, size):
    net, file, _ = network
    image = smooth(*size)
    saliency = found(build(OnnxOptions, {"file": file, "output": "saliency"}), image)
    expected = by_torch(net, image)[0, 0].numpy()
    assert saliency.shape == size and saliency.dtype == np.float32
    assert np.ptp(expected) > 0.3
    assert np.abs(saliency - expected).max() <= 1e-5


def test_a_padded_image_gives_torchs_map_of_it_without_the_padding(network):
    net, file, _ = network
    image = smooth(33, 47)
    saliency = found(build(OnnxOptions, {"file": file, "output": 1, "multiple": 16}), image)
    padded = np.pad(image, ((0, 15), (0, 1), (0, 0)), mode="edge")
    assert np.abs(saliency - by_torch(net, padded)[0, 0, :33, :47].numpy()).max() <= 1e-5


@pytest.mark.parametrize("size", [(33, 47), (121, 90)])
def test_an_image_resized_for_the_network_gets_a_map_of_its_own_size(network, size):
    net, _, file = network
    image = smooth(*size)
    saliency = found(build(OnnxOptions, {"file": file, "output": -1, "size": [40, 56]}), image)
    expected = functional.interpolate(by_torch(net, resize_image(image, (40, 56))), size=size, mode="bilinear")
    assert np.abs(saliency - expected[0, 0].numpy()).max() <= 1e-5


def test_logits_and_their_sigmoid_give_one_map(network):
    _, file, _ = network
    image = smooth(33, 47)
    logits = found(build(OnnxOptions, {"file": file, "activation": "sigmoid"}), image)
    assert np.allclose(logits, found(build(OnnxOptions, {"file": file, "output": 1}), image), atol=1e-6)


# bit for bit


class Kept(dict):
    """A writer that keeps maps as they come, before they are rounded to 8 bits."""

    def add(self, stem, saliency):
        self[stem] = saliency


def test_the_number_of_workers_changes_no_bit_and_no_order(tmp_path, network):
    manifest = images(tmp_path / "images", [(61, 33), (33, 47), (64, 80)] * 4)
    chosen = build(OnnxOptions, {"file": network[1], "output": "saliency"})
    maps = []
    for workers in (1, 2, 7):
        maps.append(Kept())
        DETECTORS.get("onnx").run(chosen, manifest, maps[-1], Machine(workers))
    for other in maps[1:]:
        assert tuple(other) == manifest.stems
        assert all(np.array_equal(maps[0][stem], other[stem]) for stem in other)
    assert np.array_equal(maps[0]["04"], found(chosen, read_image(manifest.entries[4].image)))


# normalisation


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, lambda x: (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
        ({"preset": "image_max"}, lambda x: (x / x.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
        ({"preset": "unit"}, lambda x: x / 255),
        ({"preset": "centred"}, lambda x: x / 127.5 - 1),
        ({"preset": "caffe"}, lambda x: x[..., ::-1] - [104.00699, 116.66877, 122.67892]),
        (
            {"mean": [0.1, 0.2, 0.3], "channels": "bgr"},
            lambda x: (x[..., ::-1] / 255 - [0.1, 0.2, 0.3]) / [0.229, 0.224, 0.225],
        ),
        (
            {"preset": "caffe", "std": [2, 4, 8]},
            lambda x: (x[..., ::-1] - [104.00699, 116.66877, 122.67892]) / [2, 4, 8],
        ),
    ],
)
def test_pixels_are_divided_ordered_and_normalised_as_the_options_say(given, expected):
    image = smooth(9, 7) // 2 + 3
    got = build(Normalisation, given).apply(image)
    assert got.dtype == np.float32 and got.shape == (1, 3, 9, 7) and got.flags.c_contiguous
    assert np.allclose(got[0].transpose(1, 2, 0), expected(image.astype(float)), rtol=0, atol=2e-5)


def test_a_black_image_divided_by_its_maximum_stays_black():
    got = Normalisation(divide_by="image_max", mean=(0, 0, 0), std=(1, 1, 1)).apply(np.zeros((2, 2, 3), np.uint8))
    assert not got.any()


# outputs


@pytest.mark.parametrize("axes", [4, 3, 2])
def test_a_map_is_taken_with_and_without_leading_axes(tmp_path, axes):
    squeezes = [
        ("Constant", [], ["first"], {"value_ints": [0]}),
        ("Conv", ["x", "mean"], ["m4"]),
        ("Squeeze", ["m4", "first"], ["m3"]),
        ("Squeeze", ["m3", "first"], ["m2"]),
    ]
    image = grey(12, 17)
    chosen = options(save(tmp_path / "m.onnx", *squeezes, outputs=["m4", "m3", "m2"]), output=f"m{axes}")
    assert np.abs(found(chosen, image) - image[..., 0] / 255).max() < 1e-6


def test_softmax_of_two_planes_is_the_second_ones_share(tmp_path):
    chosen = options(save(tmp_path / "m.onnx", ("Conv", ["x", "two"], ["y"])), activation="softmax")
    image = smooth(12, 17)
    total = torch.from_numpy(image).sum(2) / 255
    expected = torch.softmax(torch.stack([total, -2 * total]), 0)[1].numpy()
    assert np.allclose(found(chosen, image), expected, atol=1e-6)


def test_a_stretched_map_spans_everything(tmp_path):
    scaled = [MEAN, ("Mul", ["m", "three"], ["y"])]
    chosen = options(save(tmp_path / "m.onnx", *scaled), stretch=True)
    image = grey(12, 17)
    values = image[..., 0].astype(float)
    expected = (values - values.min()) / (values.max() - values.min())
    assert np.allclose(found(chosen, image), expected, atol=1e-6)


def test_a_coarse_map_is_resized_to_the_image(tmp_path):
    quarter = ("AveragePool", ["m"], ["y"], {"kernel_shape": [4, 4], "strides": [4, 4]})
    image = grey(30, 46)
    saliency = found(options(save(tmp_path / "m.onnx", MEAN, quarter), multiple=4), image)
    padded = np.pad(image[..., 0] / 255, ((0, 2), (0, 2)), mode="edge")
    coarse = torch.from_numpy(padded).view(1, 1, 8, 4, 12, 4).mean((3, 5))
    expected = functional.interpolate(coarse, size=(32, 48), mode="bilinear")[0, 0, :30, :46].numpy()
    assert np.allclose(saliency, expected, atol=1e-5)


def test_a_network_of_half_precision_is_run(tmp_path):
    chosen = options(save(tmp_path / "m.onnx", kind=np.float16))
    image = grey(12, 17)
    saliency = found(chosen, image)
    assert saliency.dtype == np.float32 and np.abs(saliency - image[..., 0] / 255).max() < 2e-3


def test_a_white_map_that_rounds_above_one_is_clipped(tmp_path):
    over = [("Constant", [], ["o"], {"value_float": 1.0004}), MEAN, ("Mul", ["m", "o"], ["y"])]
    white = np.full((4, 5, 3), 255, np.uint8)
    assert (found(options(save(tmp_path / "m.onnx", *over)), white) == 1).all()


def test_maps_are_written_at_their_images_sizes(tmp_path):
    manifest = images(tmp_path / "images", [(24, 32), (40, 20)])
    chosen = options(save(tmp_path / "m.onnx", shape=(1, 3, 16, 16)), size=[16, 16])
    with new_mapset(tmp_path / "out") as writer:
        DETECTORS.get("onnx").run(chosen, manifest, writer, Machine(2))
    written = MapSet(tmp_path / "out")
    assert [written.read(stem).shape for stem in manifest.stems] == [(24, 32), (40, 20)]
    assert {record.status for record in written.records.values()} == {"ok"}
