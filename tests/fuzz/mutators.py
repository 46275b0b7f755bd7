"""Ways to damage a file: bytes as a disk or a line would, cells and columns as a person or a program would.

Everything follows from the random source that is given: the same seed makes the same damage.
"""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import fastexcel
import polars as pl
import xlsxwriter
from lxml import etree

from crlm_pipeline.extracts.text import ZIP_MAGIC, delimiter
from tests.fuzz.samples import MARKER

Rows = list[list[str]]

HOSTILE: Final = (
    "", " ", MARKER, f"={MARKER}()", f"<script>{MARKER}</script>", f"\x1b[31m{MARKER}", f"{MARKER}\u202e", "*", "^.*$",
    f'{MARKER}"', f'"{MARKER}', f"{MARKER},{MARKER};{MARKER}\t{MARKER}", f"{MARKER}\n{MARKER}", f"{MARKER}\r{MARKER}",
    f"\ufeff{MARKER}", f"{MARKER}\x00", f"{MARKER}\ud800", "\U0001f600", "\u2028", "\xa0", "source_row", "patient_id",
    "0001-01-01", "9999-12-31", "2023-02-30", "2023-13-01", "10000-01-01", "-0001-01-01", "2023-02-29 25:61:61", "0000",
    "1899-12-31", "9999", "30.02.2023", "20230230", "99999999", "00000000", "12/31/9999",
    "0", "-1", "1", "2147483648", "-2147483649", "9223372036854775808", "18446744073709551616", "9" * 400, "1e400",
    "-1e400", "1e18", "-1e18", "1e308", "nan", "inf", "-inf", "NaN", "1e-400", "0x10", "1_000", "1,5", "\uff11\uff12",
    "\u0663", "true", "TRUE", "null", "NA", "-999", "C187", "C18.7;" * 100, ";", ";;", "liver;;liver",
    "p.Gly12Cys", "p.(Gly12_Gly13insGlyGly", "G12" + "C" * 500, "p." + "(" * 200, "12_13G>" + "A" * 200,
    "p.Gly99999999999999999999Cys", "p.Gly1_Gly99999999del", MARKER * 2000, "=1+1", "{", "[]", "&amp;", "&x;", "<a>",
    "]]>", "%s%n", "../../etc/passwd", "/etc/passwd",
)  # fmt: skip
_MOST: Final = 8


def damage(folder: Path, random: Random) -> str:
    """Damage one file of a folder, at times two; return what was done."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    done = []
    for path in random.sample(files, k=min(len(files), random.choice((1, 1, 1, 2)))):
        other = random.choice(files).read_bytes()
        done.append(f"{path.name}: {_damage_file(path, other, random)}")
    return "; ".join(done)


def _damage_file(path: Path, other: bytes, random: Random) -> str:
    content = path.read_bytes()
    structured = structure_of(path, content)
    if structured and random.random() < 0.6:
        damaged = structured(content, random)
        name = structured.__name__
    else:
        mutator = random.choice(BYTES)
        damaged, name = mutator(content, other, random), mutator.__name__
    path.write_bytes(damaged)
    return name


def structure_of(path: Path, content: bytes) -> Callable[[bytes, Random], bytes] | None:
    if path.suffix in (".csv", ".tsv", ".txt", ".maf"):
        return delimited
    if path.suffix == ".parquet":
        return parquet
    if path.suffix == ".xml":
        return markup
    if path.suffix in (".json", ".ndjson"):
        return objects
    return workbook if content.startswith(ZIP_MAGIC) else None


def flip(content: bytes, _other: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.randint(1, _MOST)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def overwrite(content: bytes, _other: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.randint(1, _MOST)):
        changed[random.randrange(len(changed))] = random.choice((0, 10, 13, 34, 44, 59, 9, 35, 255, 127, 45, 60))
    return bytes(changed)


def delete(content: bytes, _other: bytes, random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + content[end:]


def insert(content: bytes, _other: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice((random.randbytes(_MOST), _bytes(random.choice(HOSTILE)))) + content[at:]


def repeat(content: bytes, _other: bytes, random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:end] + content[start:end] * random.randint(1, _MOST) + content[end:]


def truncate(content: bytes, _other: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content))]


def splice(content: bytes, other: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content))] + other[random.randrange(len(other) + 1) :]


def replace(_content: bytes, other: bytes, _random: Random) -> bytes:
    return other


def recode(content: bytes, _other: bytes, random: Random) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(random.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "utf-8-sig")), "replace")


def end_lines(content: bytes, _other: bytes, random: Random) -> bytes:
    ends = (b"\r", b"\r\n", b"\n", b"\n\n", b"\n\r")
    if random.random() < 0.5:
        return content.replace(b"\n", random.choice(ends))
    return b"".join(line + random.choice(ends) for line in content.split(b"\n"))


def lines(content: bytes, _other: bytes, random: Random) -> bytes:
    """Leave out, double or exchange lines."""
    parts = content.split(b"\n")
    for _ in range(random.randint(1, _MOST)):
        one, two = random.randrange(len(parts)), random.randrange(len(parts))
        parts[one] = random.choice((b"", parts[two], parts[one] + b"\n" + parts[two]))
    return b"\n".join(parts)


BYTES: Final = (flip, overwrite, delete, insert, repeat, truncate, splice, replace, recode, end_lines, lines)


def _span(content: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + int(random.expovariate(1 / 40)) + 1)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def delimited(content: bytes, random: Random) -> bytes:
    text = content.decode("utf-8-sig", errors="replace")
    comments = re.match(r"(?:#[^\n]*\n)*", text)
    head = comments.group() if comments else ""
    body = text[len(head) :]
    separator = delimiter(body.partition("\n")[0])
    rows = [list(row) for row in csv.reader(io.StringIO(body, newline=""), delimiter=separator)]
    for _ in range(random.randint(1, 3)):
        random.choice(TABLE)(rows, random)
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=separator, lineterminator="\n", quoting=random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    )
    writer.writerows(rows)
    return _bytes(head + out.getvalue())


def parquet(content: bytes, random: Random) -> bytes:
    frame = pl.read_parquet(io.BytesIO(content))
    if random.random() < 0.5:
        frame = _retyped(frame, random)
    else:
        rows = [list(frame.columns), *([("" if cell is None else str(cell)) for cell in row] for row in frame.rows())]
        random.choice(TABLE)(rows, random)
        names = list(dict.fromkeys(_storable(name) for name in (rows[0] if rows else ())))
        cells = [[_storable(row[i]) if i < len(row) else None for row in rows[1:]] for i in range(len(names))]
        frame = pl.DataFrame(dict(zip(names, cells, strict=True)), schema=dict.fromkeys(names, pl.String))
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


_TYPES: Final = (
    pl.Int8, pl.UInt64, pl.Int128, pl.Float32, pl.Float64, pl.Boolean, pl.Binary, pl.Date, pl.Time, pl.Datetime("ns"),
    pl.Datetime("us", "Europe/Berlin"), pl.Duration, pl.Decimal(38, 10), pl.Categorical, pl.List(pl.String),
    pl.List(pl.Float64), pl.Struct({"a": pl.String}), pl.Null,
)  # fmt: skip
_EXTREMES: Final = (0, 1, -1, 2**63 - 1, -(2**63), 2**53 + 1, 1e308, float("nan"), float("inf"), 1e18, 0.1)


def _retyped(frame: pl.DataFrame, random: Random) -> pl.DataFrame:
    name, dtype = random.choice(frame.columns), random.choice(_TYPES)
    values = pl.Series(name, [random.choice(_EXTREMES) for _ in range(frame.height)], strict=False)
    try:
        return frame.with_columns(values.cast(dtype, strict=False).alias(name))
    except pl.exceptions.PolarsError:
        return frame.with_columns(values.alias(name))


def workbook(content: bytes, random: Random) -> bytes:
    book = fastexcel.read_excel(content)
    out = io.BytesIO()
    chosen = random.choice(book.sheet_names)
    with xlsxwriter.Workbook(out, {"nan_inf_to_errors": True}) as made:
        for name in book.sheet_names:
            cells = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
            rows = [[cell or "" for cell in row] for row in cells.rows()]
            if name == chosen:
                random.choice(TABLE)(rows, random)
            sheet = made.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, [_of_sheet(cell, random) for cell in row])
    return out.getvalue()


def _of_sheet(cell: str, random: Random) -> object:
    kinds = (_storable(cell)[:32_000], float("nan"), 1e300, True, "=1/0", 12345678901234567890)
    return kinds[0] if random.random() < 0.99 else random.choice(kinds)


def markup(content: bytes, random: Random) -> bytes:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    tree = etree.fromstring(content, parser)
    if tree is None:
        return content
    for _ in range(random.randint(1, 3)):
        element = random.choice(list(tree.iter("*")))
        random.choice(ELEMENT)(element, random)
    return etree.tostring(tree, xml_declaration=True, encoding=random.choice(("utf-8", "utf-16", "iso-8859-1")))


def _remove(element: etree._Element, _random: Random) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _double(element: etree._Element, _random: Random) -> None:
    if element.getparent() is not None:
        element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))


def _retext(element: etree._Element, random: Random) -> None:
    element.text = _of_markup(random.choice(HOSTILE))


def _rename(element: etree._Element, random: Random) -> None:
    element.tag = random.choice((etree.QName(element).localname, "Patient", "{urn:other}Patient", "x"))


def _reattribute(element: etree._Element, random: Random) -> None:
    for name in [*element.attrib, "naaccrId"]:
        if random.random() < 0.5:
            element.set(name, _of_markup(random.choice(HOSTILE)))


def _nest(element: etree._Element, random: Random) -> None:
    for _ in range(random.choice((3, 300))):
        element = etree.SubElement(element, etree.QName(element).localname)


def _of_markup(text: str) -> str:
    return "".join(sign for sign in text if sign in "\t\n" or " " <= sign < "\ud800" or sign > "\ufffd")


ELEMENT: Final = (_remove, _double, _retext, _retext, _rename, _reattribute, _nest)


def objects(content: bytes, random: Random) -> bytes:
    """Damage JSON, or one line of several."""
    parts = content.splitlines() if content.count(b"\n{") else [content]
    at = random.randrange(len(parts))
    root = json.loads(parts[at] or b"{}")
    for _ in range(random.randint(1, _MOST)):
        holder, key = random.choice(_places(root) or [([0], 0)])
        random.choice(OBJECT)(holder, key, random)
    parts[at] = _bytes(json.dumps(root, ensure_ascii=random.random() < 0.5))
    return b"\n".join(parts)


def _places(root: Any) -> list[tuple[Any, Any]]:
    """Return each holder of a value in JSON with its key or position."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        found += [(node, key) for key in keys]
        waiting += [node[key] for key in keys]
    return found


_VALUES: Final = (None, True, 0, -1, 1e308, float("nan"), 10**400, "", [], {}, [[]], [None], {"a": {}}, MARKER)


def _other_value(holder: Any, key: Any, random: Random) -> None:
    holder[key] = random.choice((random.choice(_VALUES), random.choice(HOSTILE)))


def _no_value(holder: Any, key: Any, _random: Random) -> None:
    holder.pop(key)


def _wrapped(holder: Any, key: Any, random: Random) -> None:
    for _ in range(random.choice((1, 1, 1, 50))):
        holder[key] = random.choice(([holder[key]], {str(key): holder[key]}))


def _again(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, list):
        holder.insert(random.randrange(len(holder) + 1), holder[key])
    else:
        holder[random.choice((*holder, "resourceType", f"_{key}"))] = holder[key]


OBJECT: Final = (_other_value, _other_value, _no_value, _wrapped, _again)


def _cell(rows: Rows, random: Random) -> None:
    for _ in range(random.randint(1, _MOST)):
        row = random.choice(rows[1:] or rows)
        if row:
            row[random.randrange(len(row))] = random.choice(HOSTILE)


def _column(rows: Rows, random: Random) -> None:
    """Put hostile values into a whole column."""
    at = random.randrange(max(len(rows[0]), 1))
    for row in rows[1:]:
        if at < len(row):
            row[at] = random.choice(HOSTILE)


def _rename_column(rows: Rows, random: Random) -> None:
    if rows[0]:
        at = random.randrange(len(rows[0]))
        rows[0][at] = random.choice((*HOSTILE, rows[0][at].upper(), f" {rows[0][at]} ", random.choice(rows[0])))


def _drop_column(rows: Rows, random: Random) -> None:
    at = random.randrange(max(len(rows[0]), 1))
    for row in rows:
        del row[at : at + 1]


def _double_column(rows: Rows, random: Random) -> None:
    at = random.randrange(max(len(rows[0]), 1))
    name = random.choice(("same", "other", "Same"))
    for number, row in enumerate(rows):
        if at < len(row):
            doubled = (
                {"same": row[at], "other": f"{row[at]}_2", "Same": row[at].title()}[name] if not number else row[at]
            )
            row.insert(at, doubled)


def _shuffle(rows: Rows, random: Random) -> None:
    rest = rows[1:]
    random.shuffle(rest)
    rows[1:] = rest


def _double_rows(rows: Rows, random: Random) -> None:
    rows.extend(list(random.choice(rows)) for _ in range(random.randint(1, _MOST)))


def _drop_rows(rows: Rows, random: Random) -> None:
    del rows[random.randint(0, len(rows)) :]
    rows.extend([] if rows else [[]])


def _ragged(rows: Rows, random: Random) -> None:
    row = random.choice(rows)
    row.append(random.choice(HOSTILE)) if random.random() < 0.5 else row.clear()


TABLE: Final = (
    _cell, _cell, _cell, _column, _column, _rename_column, _drop_column, _double_column, _shuffle, _double_rows,
    _drop_rows, _ragged,
)  # fmt: skip
