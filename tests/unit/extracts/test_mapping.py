"""Mapping files: every refusal with its line, and what a spreadsheet becomes."""

import hashlib
from datetime import date
from pathlib import Path
from textwrap import dedent, indent

import polars as pl
import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import validate
from tests.unit.extracts.files import PATIENT, checks, table, write
from tests.unit.extracts.test_text import excel

HEAD = """\
mapping: hospital
missing: ["-999", NA]
dates: ["%d.%m.%Y"]
files:
  - header: [ID]
    patient_id: ID
    rows:
"""
FIRST_ROW = HEAD.count("\n") + 1
PATIENT_ROW = """\
- table: patient
  columns:
    centre_id: {constant: A}
    country: {constant: DE}
"""


def mapping_file(folder: Path, rows: str = PATIENT_ROW, head: str = HEAD) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "hospital.yaml"
    path.write_text(head + indent(dedent(rows), " " * 6), encoding="utf-8")
    return path


def refusal(folder: Path, rows: str = PATIENT_ROW, head: str = HEAD) -> SourceError:
    with pytest.raises(SourceError) as caught:
        load_mapping(mapping_file(folder, rows, head))
    return caught.value


def mapped(folder: Path, source: str | bytes, rows: str, head: str = HEAD, name: str = "list.csv") -> Extract:
    """Write a source and a mapping that makes patients and these rows; read the source."""
    mapping = load_mapping(mapping_file(folder / "mapping", PATIENT_ROW + dedent(rows), head))
    return read_sources([write(folder / "source", {name: source})], [mapping])


def cells(folder: Path, delivered: list[str], column: str, cell: str, head: str = HEAD) -> list[str | None]:
    """Return what the cells of one source column X become in a column of an assessment."""
    source = "ID;X\n" + "".join(f"p{number};{text}\n" for number, text in enumerate(delivered))
    rows = f"""\
    - table: assessment
      columns:
        assessment_date: {{constant: 2024-01-01}}
        {column}: {cell}
    """
    return table(mapped(folder, source, rows, head), "assessment")[column].to_list()


# What is refused, and where


@pytest.mark.parametrize(
    ("rows", "line", "problem"),
    [
        ("- table: pathology\n", 0, "no table 'pathology'"),
        ("- table: mdt\n  columns:\n    mdt_day: D\n    mdt_date: D\n", 2, "no column 'mdt_day'"),
        ("- table: mdt\n  columns: {mdt_type: T}\n", 0, "needs mdt_date"),
        ("- table: mdt\n  columns:\n    mdt_date:\n", 2, "mdt_date"),
        ("- table: mdt\n  columns:\n    mdt_date: {constant: }\n", 2, "exactly one of `column` or `constant`"),
        ("- table: mdt\n  columns:\n    mdt_date: {column: D, constant: 2024-01-01}\n", 2, "exactly one"),
        ("- table: mdt\n  columns:\n    mdt_date: {constant: May 2024}\n", 2, "expected a date"),
        (
            "- table: mdt\n  columns:\n    mdt_date: D\n    mdt_type:\n      constant: weekly\n",
            4,
            "colorectal, liver, both",
        ),
        (
            "- table: patient\n  columns:\n    centre_id: C\n    country: L\n    sex:\n      column: S\n"
            "      values:\n        1: male\n        2: woman\n",
            8,
            "female, male, other",
        ),
        ("- table: patient\n  columns:\n    centre_id: C\n    country: {constant: Germany}\n", 3, "country"),
        (
            "- table: patient\n  columns:\n    centre_id: C\n    country: L\n    birth_year: {constant: 1850}\n",
            4,
            "1900",
        ),
        ("- table: mdt\n  columns:\n    mdt_date: D\n    patient_id: P\n", 3, "once for the file"),
        ("- table: mdt\n  columns:\n    mdt_date: {column: D, format: x}\n", 2, "no such key"),
        ("- table: mdt\n  columns:\n    mdt_date: {column: D, dates: ['%d.%m']}\n", 2, "no date format"),
        ("- table: mdt\n  columns:\n    mdt_date: {column: D, dates: ['%d.%M.%Y']}\n", 2, "no date format"),
        ("- table: mdt\n  columns:\n    mdt_date: {column: D, dates: ['%m.%Y %H:%M']}\n", 2, "no date format"),
        ("- table: mdt\n  columns:\n    mdt_date: D\n    trial_id: {constant: ' '}\n", 3, "leave it out"),
        ("- table: mdt\n  columns:\n    mdt_date: {column: D, dates: ['%d/%m/%Y', '%m/%d/%Y']}\n", 2, "told apart"),
        ("- table: mdt\n  columns:\n    mdt_date: {column: D, factor: 10}\n", 2, "`factor` has no meaning"),
        ("- table: mdt\n  columns:\n    mdt_date: {column: D, after: 2000-01-01}\n", 2, "needs `unit`"),
        ("- table: mdt\n  columns:\n    mdt_date: {list: [D]}\n", 2, "`list` has no meaning"),
        ("- table: mdt\n  columns:\n    mdt_date: D\n    disciplines: {list: [{list: [A]}]}\n", 3, "inside a list"),
        (
            "- table: mdt\n  columns:\n    mdt_date: D\n    disciplines: {list: [A], values: {1: surgery}}\n",
            3,
            "`column`",
        ),
        (
            "- table: mdt\n  columns:\n    mdt_date: D\n    mdt_type: {column: T, values: {L: liver, l: both}}\n",
            3,
            "twice",
        ),
        ("- table: mdt\n  columns:\n    mdt_date: D\n    mdt_date: E\n", 3, "given twice"),
        ("- tabel: mdt\n", 0, "table"),
    ],
)
def test_a_row_that_does_not_fit_the_contract_is_refused_with_its_line(
    tmp_path: Path, rows: str, line: int, problem: str
) -> None:
    error = refusal(tmp_path, rows)
    assert (error.file, error.exit_code) == ("hospital.yaml", 3)
    assert problem in str(error)
    assert error.line == FIRST_ROW + line
    assert f"hospital.yaml, line {error.line}: " in str(error)


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("mapping: hospital", "name: hospital", None, "mapping: the key is missing"),
        ("  - header: [ID]\n    patient_id", "  - patient_id", 5, "needs `header`"),
        ("patient_id: ID", "patient_id: {constant: p1}", 6, "needs a source column"),
        ('dates: ["%d.%m.%Y"]', 'dates: ["dd.mm.yyyy"]', 3, "no date format"),
        ('missing: ["-999", NA]', "missing: NA", 2, "missing"),
        ("files:", "files: [", 5, "YAML"),
        ("mapping: hospital", "calendar: lunar\nmapping: hospital", 1, "calendar"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int | None, problem: str
) -> None:
    assert old in HEAD
    error = refusal(tmp_path, head=HEAD.replace(old, new))
    assert problem in str(error)
    assert error.line == (line if line else error.line)


@pytest.mark.parametrize(
    "content",
    [
        b"just words",
        b"[1, 2]",
        b"\xff\xfe\x00",
        b"a: 1\n---\nb: 2\n",
        b"[" * 5000,
        b"a: &a [*a]\n",
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 108)),
    ],
)
def test_whatever_is_no_mapping_ends_in_a_refusal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"odd\.yaml"):
        load_mapping(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "", "").file == "hospital.yaml"


def test_a_file_that_is_not_there_is_refused_with_the_mappings_that_ship(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="hospital_workbook, nkr, obds_rki_csv, tcia_crlm"):
        load_mapping(tmp_path / "nothing.yaml")


def test_a_mapping_that_ships_is_found_by_its_name() -> None:
    assert load_mapping(Path("nkr")).mapping.mapping == "nkr"


def test_a_source_column_that_is_absent_is_named_with_its_nearest(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        mapped(tmp_path, "ID,Meeting\np1,1.2.2024\n", "- {table: mdt, columns: {mdt_date: meeting}}\n")
    assert (caught.value.file, caught.value.column) == ("list.csv", "meeting")
    assert "'Meeting'" in str(caught.value)


def test_a_source_that_the_mapping_does_not_know_is_refused_with_the_column_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        mapped(tmp_path, "Name,Meeting\np1,1.2.2024\n", "")
    assert (caught.value.file, caught.value.column) == ("list.csv", "ID")


# What a source becomes


def test_every_record_makes_its_rows_with_the_number_of_the_record(tmp_path: Path) -> None:
    extract = mapped(
        tmp_path, "ID,Meeting\np1,1.2.2024\np2,2.3.2024\n", "- {table: mdt, columns: {mdt_date: Meeting}}\n"
    )
    assert table(extract, "patient").rows() == [(1, "p1", "A", "DE"), (2, "p2", "A", "DE")]
    assert table(extract, "mdt").rows() == [(1, "p1", "2024-02-01"), (2, "p2", "2024-03-02")]
    _, file = extract.files
    assert (file.format, file.calendar, file.row_count, file.unmapped_count) == ("mapping:hospital", "real", 2, 0)
    assert extract.notices == ()


def test_the_mapping_file_is_one_of_the_files_of_the_run(tmp_path: Path) -> None:
    file = mapped(tmp_path, "ID\np1\n", "").files[0]
    content = (tmp_path / "mapping" / "hospital.yaml").read_bytes()
    assert (file.file_name, file.format, file.row_count) == ("hospital.yaml", "mapping", 0)
    assert (file.sha256, file.byte_count) == (hashlib.sha256(content).hexdigest(), len(content))


def test_raw_records_stay_as_delivered(tmp_path: Path) -> None:
    extract = mapped(tmp_path, "ID,Meeting\n p1 ,1.2.2024\n", "- {table: mdt, columns: {mdt_date: Meeting}}\n")
    assert {part.raw.rows()[0] for part in extract.tables} == {(1, " p1 ", "1.2.2024")}


def test_values_are_translated_whatever_their_case_and_others_stay_as_delivered(tmp_path: Path) -> None:
    cell = "{column: X, values: {Normal: normal, fat: steatosis, '0': }}"
    assert cells(tmp_path, ["NORMAL", "Fat", "0", "odd", ""], "liver_background", cell) == [
        "normal", "steatosis", None, "odd", None,
    ]  # fmt: skip


def test_yes_no_and_leading_zeros_stay_text(tmp_path: Path) -> None:
    cell = "{column: X, values: {yes: true, no: false, 01: true}}"
    assert cells(tmp_path, ["yes", "No", "01", "1"], "is_bilobar", cell) == ["true", "false", "true", "1"]


def test_codes_for_missing_are_unknown_everywhere_or_in_their_column(tmp_path: Path) -> None:
    head = HEAD.replace("    rows:", "    missing: {X: ['9']}\n    rows:")
    assert cells(tmp_path, ["-999", "na", "9", "3"], "crlm_count", "X", head) == [None, None, None, "3"]
    assert cells(tmp_path, ["9"], "crlm_count", "X") == ["9"]


def test_an_unknown_id_makes_a_row_that_validation_rejects(tmp_path: Path) -> None:
    extract = mapped(tmp_path, "ID,X\nNA,1\n", "")
    assert table(extract, "patient")["patient_id"].to_list() == [None]


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        ("17.05.2023", "2023-05-17"),
        ("7.5.2023", "2023-05-07"),
        ("05/2023", "2023-05"),
        ("2023", "2023"),
        ("17.05.23", "2023-05-17"),
        ("17.05.2023 10:30", "2023-05-17"),
        ("2023-05-17", "2023-05-17"),
        ("45063", "2023-05-17"),
        ("31.02.2023", "31.02.2023"),
        ("soon", "soon"),
    ],
)
def test_dates_are_read_by_the_formats_given_and_else_stay(tmp_path: Path, delivered: str, expected: str) -> None:
    formats = '["%d.%m.%y", "%d.%m.%Y %H:%M", "%m/%Y", "%Y", excel]'
    cell = f"{{column: X, dates: {formats}}}"
    assert cells(tmp_path, [delivered], "mets_diagnosis_date", cell) == [expected]


@pytest.mark.parametrize(
    ("column", "cell", "delivered", "expected"),
    [
        ("crlm_max_mm", "{column: X, factor: 10}", "3.5", "35"),
        ("crlm_max_mm", "{column: X, factor: 10}", "0.07", "0.7"),
        ("crlm_max_mm", "{column: X, factor: 10}", "about 3", "about 3"),
        ("crlm_max_mm", "X", "3.50", "3.50"),
        ("cea_ng_ml", "{column: X, decimals: 1}", "12.25", "12.3"),
        ("flr_percent", "X", "70%", "70"),
        ("flr_percent", "X", "70 %", "70"),
        ("flr_percent", "{column: X, factor: 100}", "0.7", "70"),
        ("flr_percent", "{column: X, factor: 100}", "70%", "70"),
        ("cea_ng_ml", "X", "70%", "70%"),
    ],
)
def test_units_are_brought_to_the_contract(
    tmp_path: Path, column: str, cell: str, delivered: str, expected: str
) -> None:
    assert cells(tmp_path, [delivered], column, cell) == [expected]


def test_a_decimal_comma_is_read_where_the_mapping_says_so(tmp_path: Path) -> None:
    head = "decimal_comma: true\n" + HEAD
    assert cells(tmp_path, ["3,5", "1.234,5", "4"], "cea_ng_ml", "X", head) == ["3.5", "1.234,5", "4"]
    assert cells(tmp_path, ["3,5"], "crlm_max_mm", "{column: X, factor: 10}", head) == ["35"]
    assert cells(tmp_path, ["3,5"], "cea_ng_ml", "X") == ["3,5"]


@pytest.mark.parametrize(
    ("unit", "delivered", "expected"),
    [
        ("days", "31", "2000-02-01"),
        ("weeks", "-1", "1999-12-25"),
        ("months", "75.97", "2006-05-01"),
        ("years", "1", "2000-12-31"),
        ("days", "ten", "ten"),
        ("days", "1e30", "1e30"),
        ("days", "", None),
    ],
)
def test_a_duration_after_a_day_becomes_a_day(tmp_path: Path, unit: str, delivered: str, expected: str | None) -> None:
    cell = f"{{column: X, after: 2000-01-01, unit: {unit}}}"
    assert cells(tmp_path, [delivered], "mets_diagnosis_date", cell) == [expected]


def test_a_duration_may_count_from_a_column(tmp_path: Path) -> None:
    rows = """\
    - table: mdt
      columns:
        mdt_date: {column: days, after: index, unit: days}
    """
    extract = mapped(tmp_path, "ID;index;days\np1;1.2.2024;29\np2;NA;3\n", rows)
    assert table(extract, "mdt")["mdt_date"].to_list() == ["2024-03-01", None]


def test_an_age_gives_the_year_of_birth(tmp_path: Path) -> None:
    rows = """\
    - table: patient
      columns:
        centre_id: {constant: A}
        country: {constant: DE}
        birth_year: {column: age, before: year, unit: years, dates: ["%Y"]}
    """
    mapping = load_mapping(mapping_file(tmp_path / "mapping", rows))
    source = write(tmp_path / "source", {"a.csv": "ID,age,year\np1,65,2000\np2,65.5,2000\np3,66,2024\np4,x,2000\n"})
    assert table(read_sources([source], [mapping]), "patient")["birth_year"].to_list() == ["1935", "1934", "1958", "x"]


def test_several_rows_come_from_one_wide_row_where_their_test_was_done(tmp_path: Path) -> None:
    rows = """\
    - table: biomarker
      only_if: KRAS
      columns:
        specimen_id: ID
        analyte: {constant: kras}
        result: {column: KRAS, values: {pos: mutated, neg: not_detected}}
    - table: biomarker
      only_if: {column: MSI, is: [H, S]}
      columns: {specimen_id: ID, analyte: {constant: msi}, result: {column: MSI, values: {h: msi_h, s: mss}}}
    """
    extract = mapped(tmp_path, "ID,KRAS,MSI\np1,pos,h\np2,NA,s\np3,neg,unclear\n", rows)
    assert table(extract, "biomarker").select("source_row", "analyte", "result").rows() == [
        (1, "kras", "mutated"),
        (1, "msi", "msi_h"),
        (2, "msi", "mss"),
        (3, "kras", "not_detected"),
    ]


def test_a_cell_may_depend_on_another(tmp_path: Path) -> None:
    rows = """\
    - table: outcome
      columns:
        outcome_date: {column: day, only_if: {column: relapse, is: [yes]}}
        outcome: {constant: progression}
    """
    extract = mapped(tmp_path, "ID,day,relapse\np1,1.2.2024,Yes\np2,1.2.2024,no\np3,1.2.2024,\n", rows)
    assert table(extract, "outcome")["outcome_date"].to_list() == ["2024-02-01", None, None]


def test_a_beginning_stands_for_all_values_that_begin_so(tmp_path: Path) -> None:
    values = "{column: X, values: {C*: other, C22*: liver, C221: , C34*: lung}}"
    found = cells(tmp_path, ["C220", "c22", "C221", "C349", "C500", "X", ""], "mets_sites", values)
    assert found == ["liver", "liver", None, "lung", "other", "X", None]


def test_a_date_is_believed_as_far_as_the_column_beside_it_says(tmp_path: Path) -> None:
    rows = """\
    - table: outcome
      columns:
        outcome_date: {column: day, exact: {column: code, values: {E: day, T: month, m: year}}}
        outcome: {constant: progression}
    """
    delivered = [("15.2.2024", "E"), ("15.2.2024", "t"), ("15.2.2024", "M"), ("15.2.2024", "V"), ("15.2.2024", "")]
    delivered += [("2.2024", "E"), ("soon", "T"), ("", "E")]
    source = "ID,day,code\n" + "".join(f"p{number},{day},{code}\n" for number, (day, code) in enumerate(delivered))
    found = table(mapped(tmp_path, source, rows, HEAD.replace('["%d.%m.%Y"]', '["%d.%m.%Y", "%m.%Y"]')), "outcome")
    assert found["outcome_date"].to_list() == [
        "2024-02-15", "2024-02", "2024", None, None, "2024-02", "soon", None,
    ]  # fmt: skip


def test_how_exact_a_date_is_has_no_meaning_for_anything_else(tmp_path: Path) -> None:
    exact = "exact: {column: code, values: {E: day}}"
    birth = (
        f"- {{table: patient, columns: {{centre_id: X, country: {{constant: DE}}, sex: {{column: sex, {exact}}}}}}}\n"
    )
    assert "`exact` has no meaning for sex" in refusal(tmp_path, birth).problem
    nothing = exact.replace("E: day", "E: hour")
    days = f"- {{table: mdt, columns: {{mdt_date: {{column: day, {nothing}}}}}}}\n"
    assert refusal(tmp_path, days).line == FIRST_ROW


def test_a_list_is_gathered_from_indicator_columns(tmp_path: Path) -> None:
    rows = """\
    - table: assessment
      columns:
        assessment_date: {constant: 2024-01-01}
        mets_sites:
          list:
            - {column: liver, values: {1: liver, 0: }}
            - {column: lung, values: {1: lung, 0: }}
    """
    extract = mapped(tmp_path, "ID,liver,lung\np1,1,1\np2,1,0\np3,0,NA\n", rows)
    assert table(extract, "assessment")["mets_sites"].to_list() == ["liver;lung", "liver", None]


def test_a_delivered_list_is_cut_and_its_elements_translated(tmp_path: Path) -> None:
    cell = "{column: X, split: ',', values: {Leber: liver, Lunge: lung, keine: }}"
    assert cells(tmp_path, ["leber, Lunge", "keine", "Leber,Auge", ""], "mets_sites", cell) == [
        "liver;lung", None, "liver;Auge", None,
    ]  # fmt: skip


@pytest.mark.parametrize(("prefix", "expected"), [("{constant: UMC}", "UMC-007"), ("site", "b-007")])
def test_ids_stay_text_and_may_be_prefixed_with_the_centre(tmp_path: Path, prefix: str, expected: str) -> None:
    head = HEAD.replace("    rows:", f"    id_prefix: {prefix}\n    rows:")
    extract = mapped(tmp_path, "ID,site,day\n007,b,1.2.2024\n", "- {table: mdt, columns: {mdt_date: day}}\n", head)
    assert table(extract, "patient")["patient_id"].to_list() == [expected]
    assert table(extract, "mdt")["patient_id"].to_list() == [expected]


# Files and sheets


def test_columns_that_are_not_used_are_noticed_without_their_values(tmp_path: Path) -> None:
    extract = mapped(tmp_path, "ID,shoe,hat\np1,43,58\n", "")
    (notice,) = extract.notices
    assert notice.check_name == "column_not_used"
    assert "2 columns: shoe, hat." in notice.message


def test_sheets_are_known_by_their_name_or_header(tmp_path: Path) -> None:
    head = HEAD.replace("header: [ID]", "sheet: Clinic")
    book = excel({"clinic": [["ID"], ["p1"]], "other": [["ID"], ["p2"]]})
    extract = mapped(tmp_path, book, "", head, name="book.xlsx")
    assert table(extract, "patient")["patient_id"].to_list() == ["p1"]
    assert checks(extract) == ["file_not_used"]


def test_a_workbook_and_a_csv_of_the_same_records_give_equal_rows(tmp_path: Path) -> None:
    rows = "- {table: mdt, columns: {mdt_date: day}}\n"
    book = excel({"clinic": [["ID", "day"], ["p1", "1.2.2024"]]})
    frames = [
        table(mapped(tmp_path / name, content, rows, name=name), "mdt")
        for name, content in (("a.xlsx", book), ("a.csv", "\ufeffID,day\np1,1.2.2024\n"))
    ]
    assert frames[0].equals(frames[1])


def test_other_folders_are_read_by_their_own_formats(tmp_path: Path) -> None:
    mapping = load_mapping(mapping_file(tmp_path / "mapping"))
    source = write(tmp_path / "source", {"a/list.csv": "ID\np1\n", "b/patient.csv": PATIENT.replace("p1", "p2")})
    extract = read_sources([source], [mapping])
    assert table(extract, "patient")["patient_id"].to_list() == ["p1", "p2"]
    assert [file.format for file in extract.files] == ["mapping", "mapping:hospital", "canonical"]


def test_several_sources_are_read_by_one_mapping(tmp_path: Path) -> None:
    mapping = load_mapping(mapping_file(tmp_path / "mapping"))
    sources = [write(tmp_path / name, {f"{name}.csv": f"ID\n{name}\n"}) for name in ("a", "b")]
    assert table(read_sources(sources, [mapping]), "patient")["patient_id"].to_list() == ["a", "b"]


def centre(folder: Path, name: str, header: str) -> Path:
    """Write the mapping of a centre that is known by a column of its header."""
    patient = f"{{centre_id: {{constant: {name}}}, country: {{constant: DE}}}}"
    path = folder / f"{name}.yaml"
    path.write_text(
        f"mapping: {name}\nfiles:\n  - {{header: [{header}], patient_id: {header}, id_prefix: {{constant: {name}}}, "
        f"rows: [{{table: patient, columns: {patient}}}]}}\n"
    )
    return path


def test_each_file_of_a_folder_is_read_by_the_first_mapping_that_knows_it(tmp_path: Path) -> None:
    mappings = [load_mapping(centre(tmp_path, name, header)) for name, header in (("a", "ID"), ("b", "Pat"))]
    mappings.append(load_mapping(centre(tmp_path, "c", "Both")))
    files = {
        "1.csv": "ID,Both\n01,x\n",
        "2.csv": "Pat\n01\n",
        "3.csv": "Both\n01\n",
        "4.csv": "Other\n01\n",
        "5.md": "x",
    }
    extract = read_sources([write(tmp_path / "source", files)], mappings)
    assert table(extract, "patient")["patient_id"].to_list() == ["a-01", "b-01", "c-01"]
    unused = [notice.message for notice in extract.notices if notice.check_name == "file_not_used"]
    assert [message.partition(":")[0] for message in unused] == ["4.csv", "5.md"]
    formats = sorted(file.format for file in extract.files)
    assert formats == ["mapping"] * 3 + ["mapping:a", "mapping:b", "mapping:c"]


def test_a_mapping_beside_its_files_is_not_told_as_unused(tmp_path: Path) -> None:
    source = write(tmp_path, {"1.csv": "ID\n01\n", "other.yaml": "x"})
    extract = read_sources([source], [load_mapping(centre(source, "a", "ID"))])
    assert [notice.message for notice in extract.notices] == ["other.yaml: nothing of it was used."]


def test_each_of_several_mappings_must_know_a_file(tmp_path: Path) -> None:
    mappings = [load_mapping(centre(tmp_path, name, header)) for name, header in (("a", "ID"), ("b", "Pat"))]
    with pytest.raises(SourceError, match="The mapping b knows none of the files") as caught:
        read_sources([write(tmp_path / "source", {"1.csv": "ID\n01\n"})], mappings)
    assert caught.value.column == "Pat"


def test_the_worked_example_of_the_documentation_gives_what_it_says(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "formats" / "mapping.md"
    blocks = [block.partition("\n")[2] for block in page.read_text(encoding="utf-8").split("```")[1::2]]
    source = next(block for block in blocks if block.startswith("Pat;"))
    mapping = tmp_path / "registry.yaml"
    mapping.write_text(next(block for block in blocks if block.startswith("mapping:")), encoding="utf-8")
    extract = read_sources([write(tmp_path / "source", {"registry.csv": source})], [load_mapping(mapping)])
    assert table(extract, "assessment").drop("source_row").rows() == [
        ("Nord-0071", "2023-05-17", "35", "32", "liver"),
        ("Nord-0072", "2023-06-03", None, "41", "liver;lung"),
    ]
    assert table(extract, "biomarker").select("patient_id", "analyte", "result", "hgvs_p").rows() == [
        ("Nord-0071", "kras", "not_detected", None),
        ("Nord-0071", "msi", "mss", None),
        ("Nord-0072", "kras", "mutated", "p.Gly12Cys"),
    ]


# Mappings that ship

DUTCH = """\
key_nkr;key_zid;key_eid;incjr;topo_sublok;msi_stat;ras_mut;braf_mut;meta_lever_aantal;meta_lever_afm;leeft;pos_lymf;SITES
1;11;111;2019;C187;0;0;0;3;25;65;2;C220;;;;;;;;;
2;21;211;2020;C180;1;3;2;5;999;;;C341;C220;C569;;;;;;;C809
3;31;311;2021;C209;9;9;9;9;999;70;0;;;;;;;;;;
4;41;411;2021;C209;;1;1;7;12;80;90;;;;;;;;;;
5;51;511;2022;C199;0;2;3;;;58;;C481;;;;;;;;;
""".replace("SITES", ";".join(f"meta_topo_sublok{n}" for n in range(1, 11)))


@pytest.fixture
def dutch(tmp_path: Path) -> Extract:
    return read_sources([write(tmp_path, {"nkr.csv": DUTCH})], [load_mapping(Path("nkr"))])


def test_the_dutch_codes_become_results(dutch: Extract) -> None:
    results = table(dutch, "biomarker").select("patient_id", "analyte", "result", "hgvs_p", "registry_code")
    assert results.rows() == [
        ("1", "msi", "mss", None, "0"),
        ("1", "kras", "not_detected", None, "0"),
        ("1", "nras", "not_detected", None, "0"),
        ("1", "braf", "not_detected", None, "0"),
        ("2", "msi", "msi_h", None, "1"),
        ("2", "kras", "mutated", "p.Gly12Cys", "3"),
        ("2", "braf", "mutated", "p.Val600Glu", "2"),
        ("4", "kras", "mutated", None, "1"),
        ("4", "braf", "mutated", None, "1"),
        ("5", "msi", "mss", None, "0"),
        ("5", "kras", "mutated", None, "2"),
        ("5", "braf", "mutated", "p.?", "3"),
    ]


def test_the_dutch_liver_metastases_keep_what_is_a_number(dutch: Extract) -> None:
    found = table(dutch, "assessment").select("patient_id", "assessment_date", "crlm_count", "crlm_max_mm")
    assert found.rows() == [("1", "2019", "3", "25"), ("2", "2020", None, None), ("4", "2021", None, "12")]


def test_the_dutch_organs_are_those_of_the_metastases_and_unknown_where_none_is_named(dutch: Extract) -> None:
    sites = validate(dutch, today=date(2026, 11, 23)).tables["assessment"].select("patient_id", "mets_sites").rows()
    assert sites == [("1", ["liver"]), ("2", ["liver", "lung", "ovary", "other"]), ("4", None)]


def test_the_dutch_age_and_nodes_are_read(dutch: Extract) -> None:
    assert table(dutch, "patient")["birth_year"].to_list() == ["1954", None, "1951", "1941", "1964"]
    assert table(dutch, "tumour")["nodes_positive"].to_list() == ["2", None, "0", "90", None]


def test_every_dutch_patient_is_kept(dutch: Extract) -> None:
    assert table(dutch, "patient").select(pl.col("patient_id", "country")).rows() == [
        (str(n), "NL") for n in range(1, 6)
    ]
