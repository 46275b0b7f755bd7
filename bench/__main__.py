"""Measures what the pipeline costs beside reading the same data and beside other engines, and puts it on record.

Tasks of a comparison are repeated in turns, five rounds or as many as fit; `bench/results.json` keeps medians.
Seconds belong to the machine; compare ratios only. `python -m bench.page` then writes docs/performance.md.
Figures that a run does not take stay as they were for its size; `--patients 5000000 --only scan` judges ten million
decisions and writes no registry of that size.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench.families import FAMILIES
from bench.guard import guard
from bench.harness import Effort, measure
from bench.results import figures, record, result
from bench.work import Work


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000, help="size of the synthetic registry")
    parser.add_argument("--only", choices=FAMILIES, action="append", help="take this comparison only; may be repeated")
    parser.add_argument("--pairs", type=int, default=Effort().pairs, help="rounds at most")
    parser.add_argument(
        "--guard", action="store_true", help="fail if a cheap ratio is far worse than the one on record"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crlm-bench-") as name:
        if given.guard:
            sys.exit(guard(Path(name)))
        work = Work(Path(name), given.patients)
        parts = []
        for family in given.only or FAMILIES:
            print(f"{family} ...", file=sys.stderr)
            part = figures(measure(FAMILIES[family](work), Effort(given.pairs)))
            print(json.dumps(part["ratios"]), file=sys.stderr)
            parts.append(part)
    print(json.dumps(record(result(given.patients, parts)), indent=1))


if __name__ == "__main__":
    main()
