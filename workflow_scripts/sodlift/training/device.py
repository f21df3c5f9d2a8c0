"""The device that a network runs on."""

import torch

from sodlift.errors import ConfigError


def find_device(name: str) -> torch.device:
    """Return the torch device called ``name``; ``auto`` is a GPU where there is one, else the CPU.

    Raises ConfigError if it is not on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as cause:
        raise ConfigError(
            f"device '{name}' is not available: {str(cause).splitlines()[0]}",
            expected="cpu, cuda or cuda:N",
            mend="use `cpu`, or run on a machine with a GPU and a torch built for it",
        ) from cause
    return device
