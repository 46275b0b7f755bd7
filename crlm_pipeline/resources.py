"""Finds the text that ships with the package: SQL, editions, reference tables. In a checkout and in a wheel."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    """Return the folder beside the package (a checkout), else inside it (an installed wheel)."""
    checkout = _PACKAGE.parent / name
    return checkout if (checkout.parent / "pyproject.toml").is_file() else _PACKAGE / name


def sql(name: str) -> str:
    """Return the statement in `sql/<name>.sql`."""
    return (_folder("sql") / f"{name}.sql").read_text(encoding="utf-8")


def sql_names(folder: str) -> list[str]:
    """Return the statements of a folder of `sql/`, as names for `sql`, sorted."""
    return [f"{folder}/{path.stem}" for path in sql_files(folder)]


def sql_files(folder: str) -> list[Path]:
    """Return the files of a folder of `sql/`, sorted by name."""
    return sorted((_folder("sql") / folder).glob("*.sql"))


def edition_files() -> list[Path]:
    """Return the edition files, sorted by name."""
    return sorted((_folder("data") / "guidelines").glob("*.yaml"))


def mapping_files() -> list[Path]:
    """Return the mapping files that ship, sorted by name."""
    return sorted((_folder("data") / "mappings").glob("*.yaml"))


def reference_files() -> list[Path]:
    """Return the reference tables, sorted by name."""
    return sorted((_folder("data") / "reference").glob("*.csv"))


def code_files(subpackage: str) -> list[Path]:
    """Return the modules of a subpackage, sorted by path."""
    return sorted((_PACKAGE / subpackage).rglob("*.py"))


def reference_path(name: str) -> Path:
    """Return the path of the reference table `data/reference/<name>.csv`."""
    return _folder("data") / "reference" / f"{name}.csv"


@cache
def reference(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a reference table as dictionaries of text; an empty cell is an empty string."""
    return tuple(_rows(reference_path(name)))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def example_folder() -> Path:
    """Return the folder of the embedded synthetic example."""
    return _folder("data") / "example"


def template_folder() -> Path:
    """Return the folder of the report's page template and style sheet."""
    return _PACKAGE / "report" / "templates"
