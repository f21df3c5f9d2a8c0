"""The command line: a command is one public module of this package, which holds ``COMMAND``."""

from typing import TYPE_CHECKING

from sodlift.registry import Registry

if TYPE_CHECKING:
    from sodlift.cli._base import Command

COMMANDS: "Registry[Command]" = Registry("command", "sodlift.cli", "COMMAND", exclude=("main",))
