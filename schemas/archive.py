"""What was delivered, run over run, as text: from it the next run knows what is new, corrected or withdrawn."""

from typing import Final

from schemas import vocabulary as v
from schemas.audit import (
    FILE_BYTES,
    FILE_CALENDAR,
    FILE_FORMAT,
    FILE_HASH,
    FILE_ID,
    FILE_NAME,
    FILE_RECORDS,
    FILE_UNMAPPED,
    TABLE_NAME,
)
from schemas.column import Count, Integer, IntegerList, Table, Text, column, describe
from schemas.extract import EXTRACT_MODELS, SOURCE_FILE_ID, SOURCE_ROW

DELIVERY_ID: Final = column("Delivery: hash of its format and of its files, names and contents.", required=True)


class Delivery(Table):
    """The files of a folder that were read together."""

    delivery_id: Text = DELIVERY_ID
    delivery_no: Integer = column("Place in the order of reading, from 1; an earlier row counts first.", required=True)
    run_id: Text = column("Run that read it.", required=True)
    reader_key: Text = column("Hash of the code and tables that read it.", required=True)
    row_count: Count = column("Canonical rows that were made of it.", unit="rows", required=True)

    class Config:
        name = "archive.delivery"
        metadata = {"grain": "delivery", "key": ["delivery_id"]}


class DeliveredFile(Table):
    """A file of a delivery, as in audit.source_file."""

    delivery_id: Text = DELIVERY_ID
    source_file_id: Text = FILE_ID
    file_name: Text = FILE_NAME
    format: Text = FILE_FORMAT
    sha256: Text = FILE_HASH
    byte_count: Count = FILE_BYTES
    calendar: Text = FILE_CALENDAR
    row_count: Count = FILE_RECORDS
    unmapped_count: Count = FILE_UNMAPPED

    class Config:
        name = "archive.file"
        metadata = {"grain": "delivery and file", "key": ["delivery_id", "source_file_id"]}


class DeliveredNotice(Table):
    """Something that the reader of a delivery noticed."""

    delivery_id: Text = DELIVERY_ID
    notice_no: Integer = column("Place in the order of noticing, from 1.", required=True)
    check_name: Text = column("Check.", required=True)
    severity: Text = column("Error or warning.", required=True, values=v.SEVERITY)
    source_file_id: Text = column("File; unknown for the delivery as a whole.")
    table_name: Text = TABLE_NAME
    column_name: Text = column("Column, if one is concerned.")
    message: Text = column("What was found, without a patient's value.", required=True)
    rows: IntegerList = column("Rows of the file that are concerned; none for the file as a whole.", required=True)

    class Config:
        name = "archive.notice"
        metadata = {"grain": "delivery and notice", "key": ["delivery_id", "notice_no"]}


def _delivered(model: type[Table]) -> type[Table]:
    """Return the table of the rows delivered for an extract table: its columns as text, none of them required."""
    table = describe(model)
    own = {
        "row_no": column("Place in the order of reading; an earlier row counts first.", required=True),
        "delivery_id": DELIVERY_ID,
        "source_file_id": SOURCE_FILE_ID,
        "source_row": SOURCE_ROW,
        "superseded_run_id": column("Run in which a later delivery replaced or withdrew the row; unknown: it stands."),
        "raw_row": column("The row as delivered, as JSON, where it was rejected.", sensitivity="identifier"),
    }
    texts = {
        each.name: column(f"{each.sentence} As delivered.", sensitivity=each.sensitivity)
        for each in table.columns
        if each.name not in own
    }
    types = {"row_no": Count, "source_row": Integer}
    config = {
        "name": f"archive.{table.name}",
        "metadata": {"grain": f"row delivered for {table.qualified_name}", "key": ["row_no"]},
    }
    body = {
        "__doc__": f"Rows delivered for {table.qualified_name}, as text: those that stand, and earlier ones.",
        "__module__": __name__,
        "__annotations__": {name: types.get(name, Text) for name in (*own, *texts)},
        "Config": type("Config", (), config),
    }
    return type(f"Delivered{model.__name__}", (Table,), {**body, **own, **texts})


DELIVERED_MODELS: Final[dict[str, type[Table]]] = {describe(model).name: _delivered(model) for model in EXTRACT_MODELS}
ARCHIVE_MODELS: Final[tuple[type[Table], ...]] = (
    Delivery,
    DeliveredFile,
    DeliveredNotice,
    *DELIVERED_MODELS.values(),
)
