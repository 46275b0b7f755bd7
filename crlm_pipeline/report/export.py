"""The data behind every table and figure as CSV and Parquet, after disclosure, and the list of these files.

In a CSV no cell can be taken for a formula by a spreadsheet; Parquet holds the text as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from crlm_pipeline.disclosure import SafeTable, plain
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.tables import table
from crlm_pipeline.safe_cells import defused

# Columns that only lay a page out.
_OF_THE_PAGE: Final = ("_text", "_href")
README: Final = """Data behind the tables and figures of the report, after disclosure control.

Each file is there twice: CSV (UTF-8) for spreadsheets and Parquet for programs, with the same rows and columns.
files.csv lists them all: what each holds, on which page it stands, and its columns.
Files whose names start with c01-, c02-, ... stand behind the page of that centre.

shown, and every column that ends with _shown, is what the report prints of a count: a number, <5 for a count below the
threshold of the run, or "hidden" where the count would give a small one away. The column without _shown (n for shown)
holds the same number and is empty where it is not shown. percent, ci_low and ci_high run from 0 to 100 (Wilson, 95 %)
and are empty where the denominator is too small for a rate. An empty dimension, such as centre_id, means all of them.
"""


@dataclass(frozen=True, slots=True)
class File:
    """A file of data: its name without the ending, what it holds, the page it stands on, its rows and columns."""

    name: str
    holds: str
    page: str
    rows: int
    columns: tuple[str, ...]


class Content(NamedTuple):
    """The rows and columns of a table's files, and what they hold in both forms."""

    frame: pl.DataFrame
    csv: bytes
    parquet: bytes


def contents(sections: Iterable[Section], known: Mapping[SafeTable, Content]) -> dict[SafeTable, Content]:
    """Return what the files of these sections' tables and figures hold, but for those that are known.

    All of them are made in one go: a statement for each would cost far more than its few rows.
    """
    tables = dict.fromkeys(block.data for block in _with_data(sections) if block.data not in known)
    made, sinks = {}, []
    for data in tables:
        assert isinstance(data, SafeTable), "only safe tables leave the warehouse"
        frame = data.frame.drop(name for name in data.frame.columns if name.endswith(_OF_THE_PAGE))
        csv, parquet = BytesIO(), BytesIO()
        sinks.append(defused(frame).lazy().sink_csv(csv, lazy=True))
        sinks.append(frame.lazy().sink_parquet(parquet, statistics=False, lazy=True))
        made[data] = (frame, csv, parquet)
    pl.collect_all(sinks)
    return {each: Content(frame, csv.getvalue(), parquet.getvalue()) for each, (frame, csv, parquet) in made.items()}


def _with_data(sections: Iterable[Section]) -> Iterator[Table | Figure]:
    return (block for section in sections for block in section.blocks if isinstance(block, Table | Figure))


def write_data(
    sections: Sequence[Section], folder: Path, page: str, prefix: str, known: Mapping[SafeTable, Content]
) -> Iterator[File]:
    """Write the data of a page's tables and figures, each as CSV and Parquet; yield what was written.

    Blocks whose data have one name share it, and one pair of files. `known` is the content of tables of other pages
    too: many, such as the points of a funnel plot, stand on the page of every centre.
    """
    own = contents(sections, known)
    written: dict[str, pl.DataFrame] = {}
    for block in _with_data(sections):
        name, content = f"{prefix}{block.data.name}", known.get(block.data) or own[block.data]
        if name in written:
            assert content.frame.equals(written[name]), f"two blocks of {page} have different data of the name {name}"
            continue
        written[name] = content.frame
        (folder / f"{name}.csv").write_bytes(content.csv)
        (folder / f"{name}.parquet").write_bytes(content.parquet)
        yield File(name, _first_sentence(block.caption), page, content.frame.height, tuple(content.frame.columns))


def _first_sentence(text: str) -> str:
    return text.split(". ", 1)[0].rstrip(".")


def write_index(files: Sequence[File], folder: Path) -> None:
    """Write what the files hold and how to read them, beside them."""
    (folder / "README.txt").write_text(README, encoding="utf-8")
    rows = [(file.name, file.holds, file.page, file.rows, ", ".join(file.columns)) for file in files]
    schema = {"file": pl.String, "holds": pl.String, "page": pl.String, "rows": pl.Int64, "columns": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    defused(frame).write_csv(folder / "files.csv")
    frame.write_parquet(folder / "files.parquet")


def listing(files: Sequence[File]) -> Section:
    """Return the list of the registry's files, each with its links."""
    rows = [(file.holds, "CSV", "Parquet", file.page, str(file.rows), f"data/{file.name}") for file in files]
    names = ("holds", "csv", "parquet", "page", "rows", "file")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").with_columns(
        csv_href=pl.col("file") + ".csv", parquet_href=pl.col("file") + ".parquet", page_href="page"
    )
    headings = {"holds": "What it holds", "csv": "CSV", "parquet": "Parquet", "page": "On page", "rows": "Rows"}
    sentence = (
        "The data behind every table and figure, after disclosure control: the numbers are those of the pages. The "
        "folder data holds a README and files.csv, which lists the files of the centres too."
    )
    made = table(
        plain("files", frame),
        headings,
        "Files of the registry's pages.",
        text=("csv", "parquet", "page"),
        links={"csv": "csv_href", "parquet": "parquet_href", "page": "page_href"},
    )
    return Section("data", "Downloads", sentence, (made,))
