"""Every reader under a time-boxed rain of damaged files, from fixed seeds; and every input that once broke one.

`make fuzz SECONDS=600` runs longer. A failure tells its sample and number: `python -m tests.fuzz.worker keep SAMPLE
NUMBER FOLDER` writes the files; kept in `cases/` they are read for ever after.
"""

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.fuzz.oracle import outcome
from tests.fuzz.samples import SAMPLES, write_marked
from tests.fuzz.worker import SECONDS as LONGEST

SECONDS = float(os.environ.get("CRLM_FUZZ_SECONDS", "40"))
GRACE = 160  # to start, and for a case that hangs where no signal reaches it
CASES = sorted(path for path in Path(__file__).with_name("cases").iterdir() if path.is_dir())


@pytest.mark.timeout(SECONDS + 600)
def test_whatever_is_done_to_a_file_comes_to_rows_or_a_clear_error() -> None:
    until = time.time() + SECONDS
    first, failures, done = 0, [], 0
    while time.time() < until:
        last, told = _work(first, until)
        failures += told
        done += last - first
        first = last + 1
    assert not failures, "\n".join(failures)
    assert done > len(SAMPLES) or SECONDS < 1


def _work(first: int, until: float) -> tuple[int, list[str]]:
    """Run a worker; return the last case it began, and what failed, its own death or silence included."""
    command = [sys.executable, "-m", "tests.fuzz.worker", str(first), str(until), *sorted(SAMPLES)]
    lines: queue.Queue[str | None] = queue.Queue()
    last, told = first, []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as worker:
        threading.Thread(target=_pass_on, args=(worker, lines), daemon=True).start()
        try:
            while line := lines.get(timeout=LONGEST + GRACE):
                if line.startswith("at "):
                    last = int(line.removeprefix("at "))
                elif line.startswith("! "):
                    told.append(line.removeprefix("! "))
        except queue.Empty:
            worker.kill()
            told.append(f"hangs: {_case(last)}")
            return last, told
        if worker.wait():
            told.append(f"dies of {worker.returncode}: {_case(last)}")
    return last, told


def _pass_on(worker: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    assert worker.stdout is not None
    for line in worker.stdout:
        lines.put(line.rstrip("\n") or " ")
    lines.put(None)


def _case(number: int) -> str:
    names = sorted(SAMPLES)
    return f"{names[number % len(names)]} {number // len(names)}"


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_an_input_that_once_broke_a_reader_breaks_none(folder: Path) -> None:
    assert outcome(folder)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_is_read_before_it_is_damaged(tmp_path: Path, name: str) -> None:
    write_marked(tmp_path / "sample", name)
    assert outcome(tmp_path / "sample") == "rows"
