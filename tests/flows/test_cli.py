import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.locking import lock
from crlm_pipeline.validation import Ingested, validate
from crlm_pipeline.validation import ingest as ingesting
from crlm_pipeline.warehouse import Warehouse
from flows import steps
from schemas.audit import CheckResult, Finding
from schemas.cohort import Decision
from schemas.extract import Patient
from tests.command_line import Answer, Crlm

NOBODY = 65534
ORCHESTRATORS = {"prefect", "dask", "distributed"}


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "out" / "crlm.duckdb"


@pytest.fixture
def run(crlm: Crlm, warehouse: Path, quick_report: None) -> Crlm:
    return lambda *arguments: crlm(
        "run", *arguments, "--warehouse", warehouse, "--report", warehouse.with_name("report")
    )


@pytest.fixture
def copy(registry: Path, tmp_path: Path) -> Path:
    """A registry to spoil."""
    return Path(shutil.copytree(registry, tmp_path / "registry"))


# What to do next


def test_without_arguments_it_says_what_to_do_next(crlm: Crlm) -> None:
    answer = crlm()
    assert answer.code == 0
    assert "crlm example" in answer.out


def test_a_run_without_source_says_what_to_do_next(crlm: Crlm) -> None:
    answer = crlm("run")
    assert (answer.code, answer.is_one_line) == (2, True)
    assert "crlm example" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("run", "x", "--as-of", "yesterday"),
        ("run", "x", "--side-policy", "up"),
        ("run", "x", "--grace-days", "-1"),
        ("synthetic", "x", "--patients", "0", "--seed", "1"),
        ("explain",),
    ],
)
def test_a_wrong_call_ends_with_two(crlm: Crlm, arguments: tuple[str, ...]) -> None:
    assert crlm(*arguments).code == 2


# Does a command in a process of its own and prints which packages that brought in.
IMPORTED = """
import contextlib, sys
from flows.cli import main
sys.argv = ["crlm", *sys.argv[1:]]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(sys.stderr):
    main()
print(*{name.partition(".")[0] for name in sys.modules})
"""


def imported_by(*arguments: str) -> set[str]:
    call = [sys.executable, "-c", IMPORTED, *arguments]
    return set(subprocess.run(call, capture_output=True, text=True, check=True).stdout.split())


def test_help_imports_no_engine() -> None:
    heavy = {"polars", "duckdb", "pandera", "pandas", "numpy", "scipy", "pydantic", "jinja2", "rich"}
    assert not imported_by("--help") & {*heavy, *ORCHESTRATORS}


def test_a_run_imports_no_orchestrator_and_nothing_that_it_does_not_use(crlm: Crlm, tmp_path: Path) -> None:
    source = tmp_path / "source"
    crlm("synthetic", str(source), "--patients", "20", "--seed", "1")
    warehouse, report = tmp_path / "crlm.duckdb", tmp_path / "report"
    imported = imported_by("run", str(source), "--warehouse", str(warehouse), "--report", str(report))
    assert (report / "index.html").is_file()
    assert {"polars", "duckdb"} <= imported
    assert not imported & {*ORCHESTRATORS, "weasyprint", "rich"}


def test_python_m_flows_is_crlm() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows", "guideline", "list"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "esmo_2022_10" in done.stdout


# A run


def test_the_restricted_report_never_takes_the_place_of_the_one_for_sharing(crlm: Crlm, tmp_path: Path) -> None:
    answer = crlm("report", "--report", tmp_path / "report", "--restricted", tmp_path / "other" / ".." / "report")
    assert answer.code == 2
    assert "--restricted" in answer.err
    assert not list(tmp_path.iterdir())


def test_a_run_publishes_a_warehouse_and_a_report_and_says_so(crlm: Crlm, registry: Path, tmp_path: Path) -> None:
    warehouse, pages = tmp_path / "new" / "crlm.duckdb", tmp_path / "report"
    answer = crlm("run", registry, "--warehouse", warehouse, "--report", pages)
    assert (answer.code, answer.err) == (0, "")
    assert "60 patients" in answer.out
    assert f"report {pages / 'index.html'}" in answer.out
    assert (pages / "index.html").stat().st_size > 10_000
    assert steps.summary(warehouse)["status"] == "complete"


def test_the_three_steps_alone_are_a_run(
    crlm: Crlm, run: Crlm, registry: Path, warehouse: Path, tmp_path: Path
) -> None:
    run(registry)
    other = tmp_path / "other.duckdb"
    assert crlm("ingest", registry, "--warehouse", other).code == 0
    assert not other.exists()
    assert steps.ingested_file(other).is_file()
    assert crlm("annotate", "--warehouse", other).code == 0
    assert not steps.ingested_file(other).exists()
    assert crlm("report", "--warehouse", other, "--report", tmp_path / "pages").code == 0
    assert steps.summary(other)["content_hash"] == steps.summary(warehouse)["content_hash"]


def test_json_holds_the_totals(run: Crlm, registry: Path) -> None:
    totals = json.loads(run(registry, "--json").out)
    assert totals["patients"] == 60
    assert totals["rows_read"] == totals["rows_accepted"] + totals["rows_rejected"] + totals["rows_duplicate"]
    assert totals["as_of"] == "2026-06-30"


def test_as_of_and_guideline_are_taken_over(run: Crlm, registry: Path) -> None:
    totals = json.loads(run(registry, "--as-of", "2024-01-31", "--guideline", "esmo", "--json").out)
    assert (totals["as_of"], totals["guidelines"]) == ("2024-01-31", ["esmo"])


def test_judge_by_names_one_edition(run: Crlm, registry: Path) -> None:
    totals = json.loads(run(registry, "--judge-by", "esmo_2022_10", "--json").out)
    assert (totals["judge_by"], totals["guidelines"]) == ("esmo_2022_10", ["esmo"])


@pytest.mark.parametrize("option", [("--guideline", "nowhere"), ("--judge-by", "nowhere_2020")])
def test_an_unknown_guideline_is_refused_and_nothing_is_published(
    run: Crlm, registry: Path, warehouse: Path, option: tuple[str, str]
) -> None:
    answer = run(registry, *option)
    assert (answer.code, answer.is_one_line) == (2, True)
    assert not warehouse.exists()


# Sources that cannot be used


def test_a_source_that_is_no_registry_is_refused(run: Crlm, tmp_path: Path) -> None:
    (tmp_path / "poem.csv").write_text("roses,violets\nred,blue\n")
    answer = run(tmp_path / "poem.csv")
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "poem.csv" in answer.err


def test_a_source_that_does_not_exist_is_refused(run: Crlm, tmp_path: Path) -> None:
    answer = run(tmp_path / "nowhere")
    assert (answer.code, answer.is_one_line) == (3, True)


def test_an_empty_source_is_refused(run: Crlm, tmp_path: Path) -> None:
    (tmp_path / "patient.csv").write_bytes(b"")
    answer = run(tmp_path / "patient.csv")
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "patient.csv" in answer.err


def test_a_missing_required_column_is_named(run: Crlm, copy: Path) -> None:
    patients = pl.read_csv(copy / "patient.csv", infer_schema_length=0)
    patients.drop("country").write_csv(copy / "patient.csv")
    answer = run(copy)
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "patient.csv" in answer.err
    assert "country" in answer.err


def test_a_wrong_encoding_is_told(run: Crlm, copy: Path) -> None:
    content = (copy / "patient.csv").read_text().replace("P0000001", "Pé000001")
    (copy / "patient.csv").write_bytes(content.encode("latin-1"))
    answer = run(copy)
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "patient.csv" in answer.err


def test_a_truncated_parquet_file_is_told(run: Crlm, copy: Path) -> None:
    patients = pl.read_csv(copy / "patient.csv", infer_schema_length=0)
    (copy / "patient.csv").unlink()
    patients.write_parquet(copy / "patient.parquet")
    content = (copy / "patient.parquet").read_bytes()
    (copy / "patient.parquet").write_bytes(content[: len(content) // 2])
    answer = run(copy)
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "patient.parquet" in answer.err


def test_too_many_rejected_rows_publish_nothing(run: Crlm, copy: Path, warehouse: Path) -> None:
    spoil_countries(copy)
    answer = run(copy)
    assert (answer.code, answer.is_one_line) == (4, True)
    assert "P0000001" not in answer.err
    assert not warehouse.exists()


def test_partial_publishes_what_is_left_and_says_so(run: Crlm, copy: Path) -> None:
    spoil_countries(copy)
    answer = run(copy, "--partial", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["status"] == "partial"


def spoil_countries(folder: Path) -> None:
    patients = pl.read_csv(folder / "patient.csv", infer_schema_length=0)
    is_spoiled = pl.int_range(pl.len()) < 30
    spoiled = pl.when(is_spoiled).then(pl.lit(None)).otherwise("country").alias("country")
    patients.with_columns(spoiled).write_csv(folder / "patient.csv")


def test_real_and_relative_calendars_are_not_mixed(run: Crlm, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*arguments: Any, **named: Any) -> Ingested:
        return replace(validate(*arguments, **named), has_relative_calendar=True)

    monkeypatch.setattr(steps, "validate", both)
    answer = run(registry)
    assert (answer.code, answer.is_one_line) == (2, True)


def test_a_source_without_any_date_asks_for_the_day(run: Crlm, tmp_path: Path) -> None:
    (tmp_path / "patient.csv").write_text("patient_id,centre_id,country\nx,a,NL\n")
    answer = run(tmp_path / "patient.csv")
    assert (answer.code, answer.is_one_line) == (2, True)
    assert "--as-of" in answer.err
    assert run(tmp_path / "patient.csv", "--as-of", "2024-01-01").code == 0


# The system says no

# Another user may not be able to read this Python's own library: what is needed is imported before.
RESTRICTED = """
import encodings.utf_8_sig, os, resource, sys
from flows import cli, configuration, steps
what, value = sys.argv[1:3]
if what == "user":
    os.setuid(int(value))
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(value), int(value)))
sys.argv = ["crlm", *sys.argv[3:]]
cli.main()
"""


def restricted(what: str, value: int, *arguments: object) -> Answer:
    """Run `crlm` in a process that gave up its rights, or may write no file above a size."""
    command = [sys.executable, "-c", RESTRICTED, what, str(value), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter."""
    if os.geteuid() != 0:
        pytest.skip("only root can give up its rights")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_source_without_permission_is_told(registry: Path, public: Path) -> None:
    source = Path(shutil.copytree(registry, public / "registry"))
    source.chmod(0o755)
    (source / "patient.csv").chmod(0o000)
    (public / "out").mkdir()
    (public / "out").chmod(0o777)
    answer = restricted("user", NOBODY, "run", source, "--warehouse", public / "out" / "crlm.duckdb")
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "patient.csv" in answer.err


def test_a_folder_that_cannot_be_written_is_told(registry: Path, public: Path) -> None:
    answer = restricted("user", NOBODY, "run", registry, "--warehouse", public / "crlm.duckdb")
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "Permission denied" in answer.err


def test_a_folder_that_cannot_be_made_is_told(registry: Path, public: Path) -> None:
    answer = restricted("user", NOBODY, "run", registry, "--warehouse", public / "out" / "crlm.duckdb")
    assert (answer.code, answer.is_one_line) == (3, True)


@pytest.mark.parametrize("limit", [20_000, 600_000, 2_000_000])
def test_a_full_disk_is_told_and_the_published_warehouse_stays(
    run: Crlm, registry: Path, warehouse: Path, limit: int
) -> None:
    run(registry)
    before = warehouse.read_bytes()
    answer = restricted("size", limit, "run", registry, "--warehouse", warehouse)
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "too large" in answer.err
    assert warehouse.read_bytes() == before


def test_a_second_run_at_the_same_time_is_refused(run: Crlm, registry: Path, warehouse: Path) -> None:
    warehouse.parent.mkdir()
    with lock(warehouse):
        answer = run(registry)
    assert (answer.code, answer.is_one_line) == (5, True)


def test_a_warehouse_that_another_program_writes_to_is_busy(run: Crlm, registry: Path, warehouse: Path) -> None:
    run(registry)
    holding = f"import duckdb; c = duckdb.connect({str(warehouse)!r}); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        answer = run(registry)
        other.communicate(b"\n")
    assert (answer.code, answer.is_one_line) == (5, True)


def test_a_file_that_is_no_warehouse_is_never_overwritten(run: Crlm, registry: Path, warehouse: Path) -> None:
    warehouse.parent.mkdir()
    warehouse.write_text("a thesis")
    answer = run(registry)
    assert (answer.code, answer.is_one_line) == (3, True)
    assert warehouse.read_text() == "a thesis"


def test_a_defect_is_told_without_a_value(run: Crlm, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("P0000001 was born in 1950")

    monkeypatch.setattr(steps, "validate", fail)
    answer = run(registry)
    assert (answer.code, answer.is_one_line) == (1, True)
    assert "this is a defect of crlm-pipeline" in answer.err
    assert "P0000001" not in answer.err


def test_debug_shows_where_a_defect_arose_but_no_value(
    crlm: Crlm, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("P0000001 was born in 1950")

    monkeypatch.setattr(steps, "validate", fail)
    answer = crlm("--debug", "check", registry)
    assert answer.code == 1
    assert "steps.py" in answer.err
    assert "1950" not in answer.err.replace('raise ValueError("P0000001 was born in 1950")', "")


# The other commands


def test_check_prints_rows_and_findings_and_writes_nothing(
    crlm: Crlm, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    answer = crlm("check", registry)
    assert answer.code == 0
    assert "drug_exposure" in answer.out
    assert sorted(tmp_path.iterdir()) == before


def test_check_ends_with_four_when_too_much_is_rejected_and_shows_no_value(crlm: Crlm, copy: Path) -> None:
    spoil_countries(copy)
    answer = crlm("check", copy)
    assert answer.code == 4
    assert "country" in answer.out
    assert "P0000001" not in answer.out + answer.err


def test_check_tells_rejections_by_centre_with_the_reason_and_what_became_of_the_checks(crlm: Crlm, copy: Path) -> None:
    spoil_countries(copy)
    answer = crlm("check", copy)
    reason = r"^\w+ +patient +row +required_empty +country +country: expected a value in every row\. .+ \d+$"
    assert re.search(reason, answer.out, re.M)
    assert re.search(r"^Checks: \d+ pass, \d+ pass with failures, \d+ fail, \d+ not applicable, ", answer.out, re.M)
    told = json.loads(crlm("check", copy, "--json").out)
    patients = pl.read_csv(copy / "patient.csv").filter(pl.col("country").is_null())
    rejected = {one["centre_id"]: one["count"] for one in told["rejections"] if one["table_name"] == "patient"}
    assert rejected == dict(patients.group_by("centre_id").len().rows())
    assert sum(told["check_summary"].values()) == len(told["checks"])
    assert told["check_summary"]["fail"] == sum(one["status"] == "fail" for one in told["checks"])


def test_check_writes_correction_lists_only_when_asked_and_says_that_they_are_restricted(
    crlm: Crlm, copy: Path, tmp_path: Path
) -> None:
    spoil_countries(copy)
    lists = tmp_path / "lists"
    answer = crlm("check", copy, "--corrections", lists)
    assert answer.code == 4
    assert "patients' data" in answer.err
    spoilt = pl.read_csv(copy / "patient.csv").filter(pl.col("country").is_null())
    centres = spoilt["centre_id"].n_unique()
    assert len(list(lists.iterdir())) == centres
    assert "P0000001" not in answer.out + answer.err
    told = crlm("check", copy, "--corrections", tmp_path / "again", "--json")
    assert len(json.loads(told.out)["corrections"]) == centres


def test_corrections_into_a_folder_that_holds_something_are_a_wrong_call(crlm: Crlm, copy: Path) -> None:
    answer = crlm("check", copy, "--corrections", copy)
    assert (answer.code, answer.is_one_line) == (2, True)
    assert "--corrections" in answer.err


@pytest.fixture
def broken_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of ours that ends with an exception which holds a value of a patient."""

    def fails(_tables: object) -> pl.DataFrame:
        raise ValueError("P0000001")

    monkeypatch.setattr(ingesting, "ODD", tuple(replace(check, failing=fails) for check in ingesting.ODD[:1]))


def test_a_check_that_breaks_is_shown_as_our_defect_and_nothing_is_published(
    crlm: Crlm, run: Crlm, registry: Path, warehouse: Path, broken_check: None
) -> None:
    checked = crlm("check", registry)
    assert checked.code == 1
    assert "1 error" in checked.out
    assert "defect of crlm-pipeline" in checked.err
    assert "P0000001" not in checked.out + checked.err
    assert run(registry).code == 1
    assert not warehouse.exists()


def test_without_a_check_that_breaks_a_run_may_be_published_as_partial(
    run: Crlm, registry: Path, warehouse: Path, broken_check: None
) -> None:
    answer = run(registry, "--partial")
    assert answer.code == 0
    assert "partial" in answer.out
    with Warehouse.open_readonly(warehouse) as published:
        assert published.read(CheckResult).filter(pl.col("status") == "error").height == 1
        assert "check_not_evaluated" in published.read(Finding)["check_name"]


def test_explain_tells_why(crlm: Crlm, run: Crlm, registry: Path, warehouse: Path) -> None:
    run(registry)
    with Warehouse.open_readonly(warehouse) as published:
        decision_id = published.read(Decision)["decision_id"][0]
    answer = crlm("explain", decision_id, "--warehouse", warehouse)
    assert answer.code == 0
    assert decision_id in answer.out


def test_explain_of_an_unknown_decision_is_a_wrong_call(crlm: Crlm, run: Crlm, registry: Path, warehouse: Path) -> None:
    run(registry)
    answer = crlm("explain", "nobody/systemic/1", "--warehouse", warehouse)
    assert (answer.code, answer.is_one_line) == (2, True)


def test_annotate_without_ingested_data_says_what_to_do(crlm: Crlm, warehouse: Path) -> None:
    answer = crlm("annotate", "--warehouse", warehouse)
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "crlm ingest" in answer.err


def test_guideline_show_prints_the_rules(crlm: Crlm) -> None:
    assert "esmo.f06" in crlm("guideline", "show", "esmo_2022_10").out


def test_guideline_diff_of_an_edition_with_itself_is_empty(crlm: Crlm) -> None:
    assert "say the same" in crlm("guideline", "diff", "esmo_2022_10", "esmo_2022_10").out


def test_guideline_show_of_an_unknown_edition_is_a_wrong_call(crlm: Crlm) -> None:
    answer = crlm("guideline", "show", "nowhere_2020")
    assert (answer.code, answer.is_one_line) == (2, True)


def test_example_writes_eight_tables_and_overwrites_none(crlm: Crlm, tmp_path: Path) -> None:
    assert crlm("example", tmp_path / "example").code == 0
    assert len(list((tmp_path / "example").glob("*.csv"))) == 8
    answer = crlm("example", tmp_path / "example")
    assert (answer.code, answer.is_one_line) == (2, True)


def test_synthetic_writes_any_format_and_says_how_to_read_it(crlm: Crlm, tmp_path: Path) -> None:
    book = crlm("synthetic", tmp_path / "s", "--patients", 2, "--seed", 3, "--format", "spreadsheet")
    assert (book.code, [path.suffix for path in sorted((tmp_path / "s").iterdir())]) == (0, [".yaml", ".xlsx"])
    hint = book.out.rpartition("next: crlm run ")[2].split()
    assert crlm("check", *hint).code == 0
    refused = crlm("synthetic", tmp_path / "t", "--patients", 2, "--seed", 3, "--format", "papyrus")
    assert refused.code == 2
    assert "naaccr" in refused.err


@pytest.mark.usefixtures("quick_report")
def test_additions_and_pseudonyms_are_asked_for_by_option(crlm: Crlm, tmp_path: Path) -> None:
    warehouse, key = tmp_path / "crlm.duckdb", tmp_path / "key"
    key.write_text("k" * 32)
    key.chmod(0o600)
    for name, seed in (("a", 1), ("b", 2)):
        assert crlm("synthetic", tmp_path / name, "--patients", 4, "--seed", seed).code == 0
    options = ("--warehouse", warehouse, "--report", tmp_path / "report", "--pseudonym-key", key, "--guideline", "esmo")
    assert crlm("run", tmp_path / "a", *options).code == 0
    without = crlm("run", tmp_path / "b", "--add", *options[:4])
    assert (without.code, without.is_one_line) == (2, True)
    added = crlm("run", tmp_path / "b", "--add", "--json", *options)
    assert added.code == 0
    assert json.loads(added.out)["is_addition"] is True
    with Warehouse.open_readonly(warehouse) as published:
        assert all(len(one) == 32 for one in published.read(Patient)["patient_id"])


def test_synthetic_says_which_centre_carries_a_planted_effect(crlm: Crlm, tmp_path: Path) -> None:
    call = ("--patients", 2, "--seed", 3)
    planted = crlm("synthetic", tmp_path / "s", *call, "--plant", "outlier", "--plant", "practice_change_2023")
    assert planted.code == 0
    told, everywhere, _ = planted.out.splitlines()
    assert re.fullmatch(r"planted outlier at DE0[1-6]: half of the first lines hold cetuximab, whatever RAS", told)
    assert everywhere.startswith("planted practice_change_2023 at every centre: from 1 July 2023 ")
    bare = crlm("synthetic", tmp_path / "t", *call, "--alike")
    assert "planted" not in bare.out
    assert "DE0" in (tmp_path / "t" / "patient.csv").read_text(encoding="utf-8")
    refused = crlm("synthetic", tmp_path / "u", *call, "--plant", "hurricane")
    assert refused.code == 2
    assert "hurricane: no such effect to plant. Choose from under_testing, " in refused.err


def test_synthetic_writes_as_many_patients_as_asked(crlm: Crlm, tmp_path: Path) -> None:
    assert crlm("synthetic", tmp_path / "s", "--patients", 12, "--seed", 3).code == 0
    assert pl.read_csv(tmp_path / "s" / "patient.csv").height == 12


def test_dictionary_describes_every_table(crlm: Crlm) -> None:
    answer = crlm("dictionary")
    assert "extract.patient" in answer.out
    assert "cohort.verdict" in answer.out
