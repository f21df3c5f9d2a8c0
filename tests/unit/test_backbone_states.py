"""State dicts: read without running code, told key by key, and refused where they do not fit."""

import tarfile
from pathlib import Path

import pytest
import torch
from backbone_samples import Tiny, same, save
from torch import nn

from sodlift.backbones import BACKBONES
from sodlift.backbones._state import compare_keys, fit_state, read_state
from sodlift.errors import WeightsError

MOCO = BACKBONES.get("resnet50").weights["moco_v2_800ep"]


class Counting(nn.Module):
    """A network with batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(2)


def moco(module: nn.Module, other: nn.Module) -> dict[str, object]:
    """Return a checkpoint as MoCo's training writes it: two encoders, each with a projection head, and a queue."""
    heads = {"fc.0.weight": torch.ones(4, 4), "fc.0.bias": torch.ones(4), "fc.2.weight": torch.ones(2, 4)}
    queries = {f"module.encoder_q.{k}": v for k, v in (module.state_dict() | heads).items()}
    keys = {f"module.encoder_k.{k}": v for k, v in (other.state_dict() | heads).items()}
    queue = {"module.queue": torch.ones(2, 8), "module.queue_ptr": torch.zeros(1, dtype=torch.long)}
    weight = torch.zeros(1)
    optimizer = {"state": {0: {"momentum_buffer": weight}}, "param_groups": [{"lr": 0.03, "params": [0]}]}
    return {"epoch": 800, "arch": "resnet50", "state_dict": queries | keys | queue, "optimizer": optimizer}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "format of before 1.6"])
def test_moco_gives_its_query_encoder_alone_without_the_head(tmp_path: Path, zipped: bool) -> None:
    query, key, module = Counting(), Counting(), Counting()
    torch.save(moco(query, key), tmp_path / "m.pth.tar", _use_new_zipfile_serialization=zipped)
    state = read_state(tmp_path / "m.pth.tar", MOCO.nested)
    report = fit_state(module, state, "m", MOCO.prefix, MOCO.unused)
    assert same(module, query.state_dict())
    assert not same(module, key.state_dict())
    assert report.matched == tuple(module.state_dict())
    assert report.unused == ("fc.0.weight", "fc.0.bias", "fc.2.weight")
    assert len(report.outside) == len(key.state_dict()) + 3 + 2
    assert {"module.encoder_k.conv1.weight", "module.queue", "module.queue_ptr"} <= set(report.outside)
    assert report.summary == "6 keys matched, 3 of the classifier unused, 11 of other parts left out"


def test_resnet50_takes_mocos_checkpoint_as_its_entry_says(tmp_path: Path) -> None:
    backbone = BACKBONES.get("resnet50")
    query, module = backbone.build(MOCO), backbone.build(MOCO)
    state = moco(query, Counting())["state_dict"]
    report = fit_state(module, state, "moco", MOCO.prefix, MOCO.unused)
    assert same(module, query.state_dict())
    assert len(report.matched) == 318
    assert not report.problems


def test_another_prefix_is_refused_naming_it_and_a_key_without_it() -> None:
    state = {f"module.base_encoder.{k}": v for k, v in Counting().state_dict().items()}
    with pytest.raises(WeightsError) as error:
        fit_state(Counting(), state, "m.pth", MOCO.prefix, MOCO.unused)
    for expected in (
        "0 keys matched, 5 missing",
        "missing: conv1.weight",
        "begin with 'module.encoder_q.', which 'module.base_encoder.conv1.weight' does not",
    ):
        assert expected in str(error.value)


def test_another_architecture_in_mocos_checkpoint_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"missing: layer1\.0\.conv1\.weight"):
        fit_state(
            BACKBONES.get("resnet50").build(MOCO),
            moco(Counting(), Counting())["state_dict"],
            "m",
            MOCO.prefix,
            MOCO.unused,
        )


def test_plain_state_dict_is_no_checkpoint_and_its_keys_are_named(tmp_path: Path) -> None:
    save(tmp_path / "plain.pth")
    with pytest.raises(WeightsError, match=r"holds no 'state_dict'[\s\S]*plain\.pth[\s\S]*stem\.weight, stem\.bias"):
        read_state(tmp_path / "plain.pth", "state_dict")


def test_checkpoint_without_a_mapping_where_the_state_dict_should_be_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "c.pth", {"state_dict": [1]})
    with pytest.raises(WeightsError, match="'state_dict' of the weights file is a list"):
        read_state(tmp_path / "c.pth", "state_dict")


def test_weights_of_another_network_are_refused_listing_the_keys() -> None:
    state = {"stem.weight": torch.zeros(4, 3, 5, 5), "fc.weight": torch.zeros(1)}
    with pytest.raises(WeightsError) as error:
        fit_state(Tiny(), state, "w.pth")
    for expected in (
        "0 keys matched, 1 missing, 1 unexpected, 1 misshaped",
        "missing: stem.bias",
        "unexpected: fc.weight",
        "misshaped: stem.weight is (4, 3, 5, 5), not (4, 3, 3, 3)",
        "w.pth",
    ):
        assert expected in str(error.value)


def test_refused_weights_leave_the_network_as_it_was() -> None:
    module = Tiny()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with pytest.raises(WeightsError):
        fit_state(module, {"stem.weight": torch.zeros(4, 3, 3, 3)}, "w.pth")
    assert same(module, before)


def test_a_value_that_is_no_tensor_is_misshaped() -> None:
    state = Tiny().state_dict() | {"stem.bias": "zero"}
    with pytest.raises(WeightsError, match=r"misshaped: stem\.bias is a str, not \(4,\)"):
        fit_state(Tiny(), state, "w.pth")


def test_of_many_problems_eight_are_listed_and_the_rest_counted() -> None:
    state = Tiny().state_dict() | {f"extra.{i}": torch.zeros(1) for i in range(11)}
    with pytest.raises(WeightsError) as error:
        fit_state(Tiny(), state, "w.pth")
    assert str(error.value).count("unexpected:") == 8
    assert "and 3 more" in str(error.value)


def test_a_report_names_every_key_of_both_sides() -> None:
    state = {
        "net.stem.weight": torch.zeros(1),
        "net.fc.weight": torch.zeros(1),
        "net.extra": torch.zeros(1),
        "queue": torch.zeros(1),
    }
    report = compare_keys(Tiny(), state, "net.", ("fc.",))
    assert str(report).splitlines() == [
        "0 keys matched, 1 missing, 1 unexpected, 1 misshaped, 1 of the classifier unused, 1 of other parts left out",
        "missing:",
        "    stem.bias",
        "unexpected:",
        "    extra",
        "misshaped:",
        "    stem.weight is (1,), not (4, 3, 3, 3)",
        "unused:",
        "    fc.weight",
        "outside:",
        "    queue",
    ]


def test_files_of_before_the_counters_of_batches_fit() -> None:
    """torchvision's first ResNet-50 is of 2017."""
    old = {key: value for key, value in Counting().state_dict().items() if not key.endswith("num_batches_tracked")}
    module = Counting()
    report = fit_state(module, old, "old.pth")
    assert report.uncounted == ("bn1.num_batches_tracked",)
    assert report.summary == "5 keys matched, 1 counters of batches absent"
    assert same(module, old | {"bn1.num_batches_tracked": torch.tensor(0)})


@pytest.mark.parametrize("content", [b"", b"not a zip file at all", b"\x80\x02."])
def test_broken_weights_file_is_an_error_naming_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"w\.pth"):
        read_state(tmp_path / "w.pth")


def test_the_tar_that_early_pytorch_wrote_is_refused_since_reading_it_runs_code(tmp_path: Path) -> None:
    save(tmp_path / "member")
    with tarfile.open(tmp_path / "old.pth", "w") as tar:
        tar.add(tmp_path / "member", "storages")
    with pytest.raises(WeightsError, match=r"legacy \.tar format[\s\S]*old\.pth"):
        read_state(tmp_path / "old.pth")


@pytest.mark.parametrize("nested", ["", "state_dict"])
def test_code_in_a_weights_file_is_not_run(tmp_path: Path, nested: str) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    save(tmp_path / "w.pth", {"state_dict": Evil()})
    with pytest.raises(WeightsError, match=r"cannot read[\s\S]*tensors only"):
        read_state(tmp_path / "w.pth", nested)
    assert not (tmp_path / "ran").exists()
    torch.load(tmp_path / "w.pth", weights_only=False)
    assert (tmp_path / "ran").exists(), "the file would have run its code"


@pytest.mark.parametrize(("content", "said"), [([torch.zeros(1)], "a list"), ({1: torch.zeros(1)}, "no names")])
def test_weights_file_that_holds_no_state_dict_is_refused(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        read_state(save(tmp_path / "w.pth", content))
