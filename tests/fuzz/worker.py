"""Runs cases one after the other in a process of its own, which may die of one; says on each line where it is.

`at N` before case N, then `= OUTCOME`; after a failure its story in lines that begin with `! `.
By hand: `python -m tests.fuzz.worker FIRST UNTIL SAMPLE...` (UNTIL in seconds of the epoch; a sample is a name of
`SAMPLES` or the path of a folder). `python -m tests.fuzz.worker keep SAMPLE NUMBER FOLDER` writes the damaged files of
one case.
"""

import contextlib
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.mutators import damage
from tests.fuzz.oracle import outcome
from tests.fuzz.samples import write_marked

SECONDS: Final = 20  # of the processor, so that a busy machine fails nothing
MEMORY: Final = 12 * 2**30  # addresses, of which little is ever used


def damaged(pristine: Path, folder: Path, name: str, number: int) -> str:
    """Copy a sample and damage it as this case does; return what was done."""
    shutil.copytree(pristine, folder)
    return damage(folder, Random(f"{name} {number}"))  # noqa: S311  # the same damage each time is the point


def judge(folder: Path) -> str:
    """Return the outcome of reading the folder; a failure as its traceback."""
    try:
        with _limited():
            return outcome(folder)
    except BaseException as failure:  # polars' panics are no Exception
        if isinstance(failure, KeyboardInterrupt):
            raise
        return "FAILED " + "".join(traceback.format_exception(failure, limit=-6))


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def main(names: list[str], first: int, until: float) -> None:
    """Do cases from `first` on, of each sample in turn, until that time; print each number before it is done."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as work:
        number = first
        while time.time() < until:
            name, case = names[number % len(names)], number // len(names)
            _say(f"at {number}")
            folder = Path(work, "case")
            done = damaged(_pristine(name, Path(work)), folder, name, case)
            result = judge(folder)
            shutil.rmtree(folder)
            _say(f"= {result.split(' ')[0]}")
            if result.startswith("FAILED"):
                _say("\n".join(f"! {line}" for line in [f"{name} {case}: {done}", *result.splitlines()]))
            number += 1


def _pristine(name: str, work: Path) -> Path:
    folder = work / name.replace("/", "_")
    if not folder.exists():
        shutil.copytree(name, folder) if "/" in name else write_marked(folder, name)
    return folder


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        with tempfile.TemporaryDirectory() as work:
            _say(damaged(_pristine(sys.argv[2], Path(work)), Path(sys.argv[4]), sys.argv[2], int(sys.argv[3])))
    else:
        main(sys.argv[3:], int(sys.argv[1]), float(sys.argv[2]))
