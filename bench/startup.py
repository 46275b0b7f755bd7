"""How long the command line keeps a reader waiting, beside a Python process that does nothing."""

import sys
from pathlib import Path

from bench.harness import Comparison, process
from bench.work import Work
from crlm_pipeline import resources


def compare(work: Work) -> Comparison:
    """Return `crlm --help` and a run over the example against `python -c pass`."""
    crlm = str(Path(sys.executable).with_name("crlm"))
    places = ("--warehouse", str(work.folder / "example.duckdb"), "--report", str(work.folder / "example"))
    return Comparison(
        tasks={
            "pass": process(sys.executable, "-c", "pass"),
            "help": process(crlm, "--help"),
            "example": process(crlm, "run", str(resources.example_folder()), *places),
        },
        ratios={"help_vs_pass": ("help", "pass"), "example_vs_pass": ("example", "pass")},
    )
