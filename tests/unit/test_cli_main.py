"""The command line: how fast it starts, and with which status and words it ends."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sodlift.cli import COMMANDS
from sodlift.cli import main as cli
from sodlift.cli._base import Command
from sodlift.cli.main import main
from sodlift.errors import MapError

SLOW = {"cv2", "numba", "numpy", "pandas", "scipy", "torch"}


def started(*arguments: str, code: str = "", stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run the command, or other code, in a process of its own."""
    call = [sys.executable, *(["-c", code] if code else ["-m", "sodlift"]), *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[2])}
    return subprocess.run(call, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


def ends(monkeypatch: pytest.MonkeyPatch, run: Callable[[object], None]) -> int:
    """Return the exit status of a command that does this."""
    monkeypatch.setattr("sodlift.cli.evaluate.COMMAND", Command("evaluate", lambda parser: None, run))
    return main(["evaluate"])


def raising(error: BaseException) -> Callable[[object], None]:
    def run(_arguments):
        raise error

    return run


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS.names())])
def test_help_imports_nothing_that_is_slow_to_import(arguments):
    code = (
        "import sys\n"
        "from sodlift.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        f"finally: print('slow:', {SLOW} & set(sys.modules))"
    )
    done = started(*arguments, code=code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: sodlift") and "slow: set()" in done.stdout


def test_the_module_runs_as_the_command_does():
    assert started("--version").stdout.startswith("sodlift ")
    done = started("evaluate")
    assert done.returncode == 2 and "--pred" in done.stderr and "Traceback" not in done.stderr


def test_every_command_is_a_module_with_help():
    assert "evaluate" in COMMANDS.names()
    assert all(isinstance(COMMANDS.get(name), Command) and COMMANDS.get(name).help for name in COMMANDS.names())


def test_a_command_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluat"])
    assert caught.value.code == 2 and "evaluate" in capsys.readouterr().err


def test_a_command_that_does_its_work_ends_with_0(monkeypatch):
    assert ends(monkeypatch, lambda arguments: None) == 0


def test_an_error_of_ours_is_its_one_message(monkeypatch, capsys):
    assert ends(monkeypatch, raising(MapError("map is odd", where="a.png", mend="draw it anew"))) == 2
    assert capsys.readouterr() == ("", "sodlift evaluate: map is odd\n  where: a.png\n  mend: draw it anew\n")


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    with pytest.raises(ZeroDivisionError):
        ends(monkeypatch, raising(ZeroDivisionError()))


def test_an_interrupted_command_ends_as_shells_expect(monkeypatch):
    assert ends(monkeypatch, raising(KeyboardInterrupt())) == 130


def test_a_reader_that_goes_away_is_no_error():
    code = (
        "import sys, types\n"
        "sys.modules['sodlift.cli._evaluate'] = types.SimpleNamespace(evaluate=lambda arguments: print('table'))\n"
        "from sodlift.cli.main import main\n"
        "sys.exit(main(['evaluate', '--gt', 'gt', '--pred', 'maps']))"
    )
    reader, writer = os.pipe()
    os.close(reader)
    done = started(code=code, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
