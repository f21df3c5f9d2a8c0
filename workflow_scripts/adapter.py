"""What every adapter shares: the job's log file, its thread limit, and errors as one clear message.

An adapter reads the ``snakemake`` object, calls the library, and ends with ``run_job(main, globals())``: Snakemake puts
its object into a script's globals, and where there is none (in tests) the adapter is merely imported.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from threadpoolctl import threadpool_limits

from sodlift.config.data_root import resolve_data_root
from sodlift.config.rows import below
from sodlift.errors import SodliftError
from sodlift.options import build


class _Tee:
    """Writes to the terminal and to the job's log, so that progress is seen and kept."""

    def __init__(self, *streams: TextIO) -> None:
        self._streams = streams

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self._streams:
            stream.flush()

    def isatty(self) -> bool:
        return self._streams[0].isatty()


def run_job(main: Callable[[Any], None], namespace: Mapping[str, Any]) -> None:
    """Run ``main(snakemake)`` as a job if ``namespace`` holds Snakemake's object and is the script itself.

    A job's worker processes load the script again, under another name: they must not start the job once more.
    """
    if "snakemake" in namespace and namespace["__name__"] == "__main__":
        with _job(namespace["snakemake"]):
            main(namespace["snakemake"])


def options_of(kind: Any, snakemake: Any) -> Any:
    """Return the options of the job's row, with relative paths starting at the root of the data."""
    row = snakemake.params.row
    return below(build(kind.options, row["options"], row["id"]), resolve_data_root(snakemake.config))


def given_to(snakemake: Any, name: str) -> Path | None:
    """Return the first file or folder of a named input, None where the job has none."""
    found = snakemake.input.get(name)
    return Path(found[0]) if found else None


def made_options_of(kind: Any, snakemake: Any) -> Any:
    """Return what ``options_of`` does, with what the run made for it: a trained model, or another detector's maps."""
    options, model, others = options_of(kind, snakemake), given_to(snakemake, "model"), given_to(snakemake, "others")
    if model is not None:
        options = options.with_model(model)
    return options if others is None else replace(options, maps=others)


@contextmanager
def _job(snakemake: Any) -> Iterator[None]:
    """Run the block as a job: stderr goes to the terminal and to ``snakemake.log[0]``, BLAS keeps to the job's threads.

    A SodliftError ends the job with its message alone; any other exception keeps its traceback, since it is a defect.
    """
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as handle, threadpool_limits(snakemake.threads):
        terminal, sys.stderr = sys.stderr, _Tee(sys.stderr, handle)
        logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s", force=True)
        logging.getLogger("sodlift").setLevel(logging.INFO)
        try:
            yield
        except SodliftError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None
        finally:
            sys.stderr = terminal
