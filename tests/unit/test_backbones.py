"""Backbones: padding, weights files, and the errors that name what is wrong with one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from sodlift.backbones import BACKBONES
from sodlift.backbones._base import (
    Backbone,
    SameConv2d,
    Tap,
    WeightsEntry,
    find_weights,
    fit_state,
    load_pretrained,
    normalise,
    package_file,
    read_state,
)
from sodlift.errors import MissingDependencyError, UnknownNameError, WeightsError

ENTRY = WeightsEntry("tiny", "test", "symmetric", 1e-5, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


class Tiny(nn.Module):
    def __init__(self, entry: WeightsEntry) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self.stem(x),)


TINY = Backbone("Tiny", "test", (Tap("stem", 4, 2),), Tiny, {"a": ENTRY, "b": replace(ENTRY, title="other")})


@pytest.mark.parametrize(
    ("size", "kernel", "before", "after"), [(8, 3, 0, 1), (7, 3, 1, 1), (8, 5, 1, 2), (7, 5, 2, 2)]
)
def test_same_padding_puts_the_odd_pixel_after(size: int, kernel: int, before: int, after: int) -> None:
    conv = SameConv2d(1, 1, kernel, stride=2, bias=False)
    x = torch.randn(1, 1, size, size)
    expected = functional.conv2d(functional.pad(x, (before, after, before, after)), conv.weight, stride=2)
    assert torch.equal(conv(x), expected)
    assert conv(x).shape[-1] == -(-size // 2)


def test_same_and_symmetric_padding_differ_on_even_sizes() -> None:
    entry = BACKBONES.get("mobilenet_v2").weights["keras_bnfolded"]
    torch.manual_seed(0)
    same = BACKBONES.get("mobilenet_v2").build(entry).eval()
    symmetric = BACKBONES.get("mobilenet_v2").build(replace(entry, padding="symmetric")).eval()
    symmetric.load_state_dict(same.state_dict())
    x = torch.randn(1, 3, 64, 64)
    assert not torch.allclose(same(x)[0], symmetric(x)[0])


def test_normalise_maps_the_mean_colour_to_zero() -> None:
    images = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    assert torch.allclose(normalise(images, ENTRY), torch.full((1, 3, 2, 2), 2.0))
    assert normalise(images, ENTRY).is_contiguous(memory_format=torch.channels_last)


def test_mobilenet_v2_has_the_published_number_of_parameters() -> None:
    backbone = BACKBONES.get("mobilenet_v2")
    assert sum(p.numel() for p in backbone.build(backbone.choose(None)[1]).parameters()) == 1_811_712


def test_mobilenet_v2_has_torchvisions_keys_and_function() -> None:
    theirs = torchvision.models.mobilenet_v2(weights=None).eval()
    backbone = BACKBONES.get("mobilenet_v2")
    entry = backbone.weights["torchvision"]
    ours = backbone.build(entry).eval()
    fit_state(ours, theirs.state_dict(), "torchvision", entry.unused)
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(ours(x)[-1], theirs.features[:18](x))


def test_vgg16_has_torchvisions_keys_and_function() -> None:
    theirs = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"]).eval()
    backbone = BACKBONES.get("vgg16")
    entry = backbone.weights["torchvision"]
    ours = backbone.build(entry).eval()
    fit_state(ours, {f"features.{k}": v for k, v in theirs.state_dict().items()}, "torchvision", entry.unused)
    x = torch.randn(1, 3, 32, 32)  # a power of two, where ceil mode plays no part
    with torch.inference_mode():
        assert torch.equal(ours(x)[-1], theirs[:30](x))


def test_first_weights_entry_is_the_default() -> None:
    assert TINY.choose(None) == ("a", ENTRY)
    assert TINY.choose("b")[1].title == "other"


def test_unknown_weights_entry_is_named_with_its_backbone() -> None:
    with pytest.raises(UnknownNameError, match=r"weights entry 'kears_bnfolded'[\s\S]*did you mean 'keras_bnfolded'"):
        BACKBONES.get("mobilenet_v2").choose("kears_bnfolded")


def test_missing_file_says_where_it_goes(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"not found[\s\S]*none\.pth[\s\S]*weights_file"):
        find_weights(ENTRY, tmp_path / "none.pth")


def test_entry_without_url_asks_for_weights_file() -> None:
    with pytest.raises(WeightsError, match="weights_file"):
        find_weights(ENTRY, None)


def test_failed_download_says_where_the_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    entry = replace(ENTRY, url=(tmp_path / "absent" / "tiny.pth").as_uri())
    with pytest.raises(WeightsError, match=r"download failed[\s\S]*checkpoints/tiny\.pth"):
        find_weights(entry, None)


def test_download_is_checked_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    source = tmp_path / "tiny.pth"
    torch.save(Tiny(ENTRY).state_dict(), source)
    assert find_weights(replace(ENTRY, url=source.as_uri()), None).read_bytes() == source.read_bytes()
    wrong = replace(ENTRY, url=source.as_uri().replace("tiny", "other"), sha256="0000")
    source.rename(tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="download failed"):
        find_weights(wrong, None)


def test_missing_package_names_the_extra() -> None:
    with pytest.raises(MissingDependencyError, match=r"sodlift\[lite0\]"):
        package_file("a_module_that_is_not_there", "x.pth", "a-package", "lite0")


def test_weights_load_and_round_trip(tmp_path: Path) -> None:
    source = Tiny(ENTRY)
    torch.save(source.state_dict(), tmp_path / "w.pth")
    loaded = load_pretrained(TINY, ENTRY, tmp_path / "w.pth")
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), loaded.parameters(), strict=True))


def test_another_file_than_the_entrys_is_refused_by_its_checksum(tmp_path: Path) -> None:
    torch.save(Tiny(ENTRY).state_dict(), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"is not tiny[\s\S]*0123abcd"):
        load_pretrained(TINY, replace(ENTRY, sha256="0123abcd"), tmp_path / "w.pth")


def test_weights_of_another_network_are_refused_listing_the_keys(tmp_path: Path) -> None:
    torch.save({"stem.weight": torch.zeros(4, 3, 5, 5), "fc.weight": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(WeightsError) as error:
        load_pretrained(TINY, ENTRY, tmp_path / "w.pth")
    for expected in ("missing: stem.bias", "unexpected: fc.weight", "misshaped: stem.weight is (4, 3, 5, 5)", "w.pth"):
        assert expected in str(error.value)


def test_keys_of_the_classifier_are_left_out() -> None:
    module = Tiny(ENTRY)
    fit_state(module, {**module.state_dict(), "fc.weight": torch.zeros(1)}, "x", unused=("fc.",))


@pytest.mark.parametrize("content", [b"", b"not a zip file at all", b"\x80\x02."])
def test_broken_weights_file_is_an_error_naming_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"w\.pth"):
        read_state(tmp_path / "w.pth")


def test_code_in_a_weights_file_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save(Evil(), tmp_path / "w.pth")
    with pytest.raises(WeightsError):
        read_state(tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()


def test_weights_file_that_holds_no_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="list"):
        read_state(tmp_path / "w.pth")
