"""No value of a patient is told of any format that is broken in any way: neither on the terminal nor in a file.

The ids of a synthetic registry hold a marker in every format that can be written, and so do the cells that damage
puts in. What may hold them is restricted: the warehouse, and what is asked for by name.
"""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.synthetic.layouts import LAYOUTS
from crlm_pipeline.validation import validate
from tests.command_line import Crlm
from tests.fuzz import mutators
from tests.fuzz.oracle import TODAY
from tests.fuzz.samples import MARKER, write_marked

Break = Callable[[Path], None]


def whole(_path: Path) -> None:
    """Leave the file as it is."""


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def encoded_otherwise(path: Path) -> None:
    content = path.read_bytes()
    at = content.rfind(MARKER.encode())
    path.write_bytes(content[:at] + "Köln".encode("latin-1") + content[at:])


def with_nul(path: Path) -> None:
    content = path.read_bytes()
    at = content.rfind(MARKER.encode())
    path.write_bytes(content[:at] + b"\x00" + content[at:])


def with_open_quote(path: Path) -> None:
    content = path.read_bytes()
    at = content.rfind(MARKER.encode())
    path.write_bytes(content[:at] + b'"' + content[at:])


def with_markup(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(MARKER.encode(), MARKER.encode() + b"<&>{[", 1))


def with_bad_cells(path: Path) -> None:
    """Put the marker and impossible values wherever the format has cells."""
    content = path.read_bytes()
    damage = mutators.structure_of(path, content)
    for seed in range(12):
        content = damage(content, Random(seed)) if damage else content  # noqa: S311  # the same damage each time
    path.write_bytes(content)


def with_another_header(path: Path) -> None:
    lines = path.read_bytes().split(b"\n")
    lines[0] = lines[0][: len(lines[0]) // 2]
    path.write_bytes(b"\n".join(lines))


def ragged(path: Path) -> None:
    path.write_bytes(path.read_bytes() + f"\n{MARKER},{MARKER};{MARKER}\t{MARKER}\n".encode())


FAULTS: tuple[Break, ...] = (
    whole, cut, encoded_otherwise, with_nul, with_open_quote, with_markup, with_bad_cells, with_another_header, ragged,
)  # fmt: skip


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marked") / "sample"
    write_marked(folder, str(request.param))
    return folder


def arguments(folder: Path) -> list[object]:
    return [folder, *(part for mapping in sorted(folder.glob("*.yaml")) for part in ("--mapping", mapping))]


def holds_marker(path: Path) -> bool:
    return MARKER.encode() in path.read_bytes()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_terminal_shows_no_value_whatever_is_broken(
    sample: Path, fault: Break, tmp_path: Path, crlm: Crlm, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Each file that holds the marker is broken, one after the other."""
    monkeypatch.chdir(tmp_path)
    files = [path for path in sorted(sample.rglob("*")) if path.is_file() and holds_marker(path)] or [
        path for path in sorted(sample.rglob("*")) if path.is_file()
    ]
    chosen = Random(fault.__name__).choice(files)  # noqa: S311  # the same file each time
    broken = copied(sample, tmp_path / "source")
    fault(broken / chosen.relative_to(sample))
    checked = crlm("check", *arguments(broken))
    assert MARKER not in checked.out + checked.err
    assert checked.code in (0, 3, 4)
    as_json = crlm("check", "--json", *arguments(broken))
    assert MARKER not in as_json.out + as_json.err


def copied(sample: Path, folder: Path) -> Path:
    for path in sorted(sample.rglob("*")):
        if path.is_file():
            target = folder / path.relative_to(sample)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def test_a_run_leaves_no_value_outside_the_warehouse(
    sample: Path, tmp_path: Path, crlm: Crlm, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    answer = crlm("run", *arguments(sample), "--partial")
    assert answer.code == 0, answer.err
    assert MARKER not in answer.out + answer.err
    with_marker = {path.name for path in tmp_path.rglob("*") if path.is_file() and holds_marker(path)}
    assert with_marker <= {"crlm.duckdb"}


def test_a_process_of_its_own_tells_no_value_either(tmp_path: Path) -> None:
    """Even at the most talkative: whatever libraries write goes to the same two streams."""
    folder = tmp_path / "source"
    write_marked(folder, "canonical")
    results = folder / "biomarker.csv"
    results.write_text(results.read_text().replace(",mutated,", f",{MARKER},"))
    talkative = {"POLARS_VERBOSE": "1", "RUST_BACKTRACE": "1", "PREFECT_LOGGING_LEVEL": "DEBUG"}
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"} | talkative
    for command in (["check"], ["ingest", "--partial"], ["annotate"]):
        call = [sys.executable, "-m", "flows", "--debug", *command, *([str(folder)] if command != ["annotate"] else [])]
        done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert MARKER.encode() not in done.stdout + done.stderr
        assert done.returncode in (0, 4)


def test_a_rejected_row_is_on_record_where_it_is_restricted(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    write_marked(folder, "canonical")
    rows = list(csv.reader(io.StringIO((folder / "patient.csv").read_text(encoding="utf-8"))))
    rows[1][rows[0].index("country")] = "nowhere"
    with (folder / "patient.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    rejected = validate(read_sources([folder]), today=TODAY).rejected_row
    raw = rejected.filter(rejected["table_name"] == "patient")["raw_row"].to_list()
    assert raw
    assert all(MARKER in row for row in raw)
