"""Registry XML: told by content, and refused where it could do harm."""

import gzip
from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import limits, markup, record_table
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.text import UnreadableError
from tests.unit.extracts.files import PATIENT, checks, read, write

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE NaaccrData [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<NaaccrData><Patient>&b;</Patient></NaaccrData>"
)
EXTERNAL = (
    '<?xml version="1.0"?>\n<!-- a comment -->\n<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    "<NaaccrData><Patient>&x;</Patient></NaaccrData>"
)


def count(content: bytes, name: str = "Patient") -> int:
    return sum(1 for _ in markup.records(content, "file.xml", name))


@pytest.mark.parametrize("content", [BOMB, EXTERNAL])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_document_type_is_refused_and_never_passed_over(tmp_path: Path, content: str, is_packed: bool) -> None:
    delivered = gzip.compress(content.encode()) if is_packed else content.encode()
    with pytest.raises(SourceError, match=r"bad\.xml: .*DOCTYPE"):
        read_sources([write(tmp_path, {"bad.xml": delivered, "patient.csv": PATIENT})])
    with pytest.raises(UnreadableError):
        read_sources([tmp_path / "bad.xml"])


def test_an_entity_that_nobody_declared_is_refused() -> None:
    with pytest.raises(SourceError, match="not well-formed"):
        count(b"<a><Patient>&x;</Patient></a>")


def test_the_root_is_told_behind_comments_and_a_byte_order_mark() -> None:
    root = markup.root(b'\xef\xbb\xbf<?xml version="1.0"?><!-- > --> <n:Root xmlns:n="urn:n" version="1"/>', "f")
    assert root == markup.Root("Root", {"version": "1"})


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"<LOD,b\n1,2\n", b"<", b"\x1f\x8b", b"\x1f\x8bnonsense"])
def test_what_is_no_xml_has_no_root(content: bytes) -> None:
    assert markup.root(content, "f") is None


@pytest.mark.parametrize("content", [b"<a><Patient/>", b"<a><Patient></a>", b"<a><Patient/></a></a>"])
def test_xml_that_is_cut_off_or_not_well_formed_is_refused_with_its_line(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"line 1"):
        count(content)


def test_a_gzip_file_that_is_cut_off_is_refused() -> None:
    packed = gzip.compress(b"<a>" + b"<Patient/>" * 10_000 + b"</a>")
    assert count(packed) == 10_000
    with pytest.raises(SourceError, match="gzip file is cut off"):
        count(packed[:-20])


def test_a_gzip_bomb_is_refused_and_a_file_that_packs_well_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RATIO_COUNTS_FROM", 1000)
    with pytest.raises(SourceError, match="more than 200 times"):
        count(gzip.compress(b"<a>" + b" " * 1_000_000 + b"</a>"))
    assert count(gzip.compress(b"<a>" + b"".join(b"<Patient>%d</Patient>" % i for i in range(1000)) + b"</a>")) == 1000


def test_a_plain_file_has_no_ratio_to_break(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RATIO_COUNTS_FROM", 0)
    monkeypatch.setattr(limits, "MAX_RATIO", 0)
    assert count(b"<a><Patient/></a>") == 1


def test_a_record_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD_BYTES", 100_000)
    small, large = b"<Patient>" + b"<b/>" * 5_000 + b"</Patient>", b"<Patient>" + b"<b/>" * 60_000 + b"</Patient>"
    assert count(b"<a>" + small * 20 + b"</a>") == 20
    with pytest.raises(SourceError, match="A record of the XML is larger"):
        count(b"<a>" + large + b"</a>")


def test_a_value_beyond_ten_megabytes_is_refused() -> None:
    with pytest.raises(SourceError, match="beyond 10 MB"):
        count(b"<a><Patient>" + b"x" * 10_500_000 + b"</Patient></a>")


def test_xml_of_no_registry_beside_a_registry_is_noticed(tmp_path: Path) -> None:
    extract = read(tmp_path, {"patient.csv": PATIENT, "dictionary.xml": "<NaaccrDictionary/>", "x.gz": b"\x1f\x8bx"})
    assert checks(extract) == ["file_not_used", "file_not_used"]


def test_xml_of_no_registry_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No registry format"):
        read(tmp_path, {"dictionary.xml": "<NaaccrDictionary/>"})


def test_records_are_numbered_and_blank_text_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_table, "_CHUNK_ROWS", 2)
    table = record_table.RecordTable(["a", "b"])
    for a in ("1", " ", "3", "4", "5"):
        table.add({"a": a, "unwanted": "x"})
    frame = table.frame()
    assert frame.columns == ["source_row", "a", "b"]
    assert frame["source_row"].to_list() == [1, 2, 3, 4, 5]
    assert frame["a"].to_list() == ["1", None, "3", "4", "5"]
