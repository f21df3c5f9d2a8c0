"""The processes that share a training: one, or as many as torchrun started, each with a GPU of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sodlift.allocator import keep_freed_memory
from sodlift.errors import ConfigError
from sodlift.training.device import find_device

_VARIABLES = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Team:
    """This process's place among ``world`` ones, and its device."""

    device: torch.device
    rank: int = 0
    world: int = 1

    @property
    def main(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    @property
    def part(self) -> slice:
        """Which samples of a batch are this process's."""
        return slice(self.rank, None, self.world)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of ``values`` over the processes."""
        if self.world > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def gather(self, value: object) -> list[Any]:
        """Return every process's value, by rank."""
        if self.world == 1:
            return [value]
        found: list[Any] = [None] * self.world
        dist.all_gather_object(found, value)
        return found

    def wait(self) -> None:
        """Wait until every process has come here."""
        self.gather(None)

    def shared(self, network: nn.Module) -> nn.Module:
        """Return a module whose gradients are means over the processes; alone, the network itself.

        On GPUs a normalisation that uses batch statistics sees the batch of all processes from here on. On a CPU, for
        which PyTorch has no such layer, it sees the process's own part.
        """
        if self.world == 1:
            return network
        if self.device.type == "cuda":
            _synchronise(network)
        # a network may leave layers of its backbone unused, such as those behind its last tap
        gpus = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=gpus, find_unused_parameters=True)


def _synchronise(network: nn.Module) -> None:
    """Let the layers of batch normalisation that are in training mode see the whole batch; frozen ones stay."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d) and child.training:
                setattr(parent, name, nn.SyncBatchNorm.convert_sync_batchnorm(child))  # type: ignore[no-untyped-call]


@contextmanager
def team(device: str, threads: int) -> Iterator[Team]:
    """Yield this process's team: that of torchrun's environment variables, or itself.

    Raises
    ------
    ConfigError
        If the device is not there, or the environment is that of several processes without their addresses.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Team(_prepared(find_device(device), threads))
        return
    if missing := [name for name in _VARIABLES if name not in os.environ]:
        raise ConfigError(
            f"WORLD_SIZE is {world}, but {', '.join(missing)} is not set",
            where="environment",
            mend="start the processes by torchrun, or unset WORLD_SIZE",
        )
    own = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    found = find_device(f"cuda:{os.environ['LOCAL_RANK']}" if own else device)
    dist.init_process_group("nccl" if found.type == "cuda" else "gloo")
    try:
        yield Team(_prepared(found, threads), dist.get_rank(), world)
    finally:
        dist.destroy_process_group()


def _prepared(device: torch.device, threads: int) -> torch.device:
    if device.type == "cuda":
        torch.cuda.set_device(device)  # its generator is the one that checkpoints keep
    else:
        torch.set_num_threads(threads)
        keep_freed_memory()
    return device
