"""FHIR JSON: told by content, read resource by resource, refused where it is no JSON or could do harm."""

import gzip
import json
from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import fhir_json, limits
from crlm_pipeline.extracts.fhir_json import Entry, entries, is_fhir
from crlm_pipeline.extracts.read import read_sources
from tests.unit.extracts.files import PATIENT, checks, read, write

PERSON = {"resourceType": "Patient", "id": "é\\", "n": None, "list": [{"resourceType": "x"}]}


def all_of(content: bytes | str) -> list[Entry]:
    return list(entries(content.encode() if isinstance(content, str) else content, "file.json"))


@pytest.fixture(params=[16, 64, 2**18])
def step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the pieces in which a file is read."""
    monkeypatch.setattr(fhir_json, "_STEP", request.param)


@pytest.mark.parametrize(
    "start",
    [b'{"resourceType":"Patient"', b'\xef\xbb\xbf \n{ "id": "1", "resourceType" : "Bundle"', b'{"fullUrl":"urn:uuid:1",'
     b'"resource":{"resourceType":"Bundle"}', gzip.compress(b'{"resourceType":"Patient"}')],
    ids=["resource", "bundle after a byte order mark", "entry", "packed"],  # a packed file holds the second it was made
)  # fmt: skip
def test_fhir_is_told_by_its_content(start: bytes) -> None:
    assert is_fhir(start)


@pytest.mark.parametrize(
    "start", [b"", b"{}", b'{"resource":"Patient"}', b'[{"resourceType":"Patient"}]', b"a,b\n", b'{"resourceType":1}',
              b"\x1f\x8bnonsense", b"<a/>"],
)  # fmt: skip
def test_other_content_is_no_fhir(start: bytes) -> None:
    assert not is_fhir(start)


@pytest.mark.usefixtures("step")
@pytest.mark.parametrize("indent", [None, 2])
def test_the_entries_of_a_bundle_are_yielded_with_their_full_urls(indent: int | None) -> None:
    people = [{"fullUrl": f"urn:uuid:{i}", "resource": {**PERSON, "id": str(i)}} for i in range(40)]
    content = json.dumps({"total": 40, "entry": people, "resourceType": "Bundle", "type": "searchset"}, indent=indent)
    found = all_of(content)
    assert [entry.full_url for entry in found] == [f"urn:uuid:{i}" for i in range(40)]
    assert [entry.resource for entry in found] == [person["resource"] for person in people]


@pytest.mark.usefixtures("step")
def test_every_line_of_ndjson_is_a_resource_and_blank_lines_are_none() -> None:
    content = "\n\n".join(json.dumps({**PERSON, "id": str(i)}, ensure_ascii=False) for i in range(40)) + "\r\n"
    assert [entry.resource["id"] for entry in all_of("\ufeff" + content)] == [str(i) for i in range(40)]


@pytest.mark.usefixtures("step")
def test_numbers_stay_as_delivered_and_a_name_that_stands_twice_counts_once() -> None:
    (entry,) = all_of('{"resourceType":"Observation","a":1,"a":2.50,"b":[1e400,-0,12345678901234567890123],"c":true}')
    assert entry.resource == {
        "resourceType": "Observation", "a": "2.50", "b": ["1e400", "-0", "12345678901234567890123"], "c": True,
    }  # fmt: skip


@pytest.mark.usefixtures("step")
def test_a_bundle_in_a_bundle_and_in_an_entry_is_taken_apart() -> None:
    inner = {"resourceType": "Bundle", "entry": [{"resource": PERSON}]}
    outer = {"resourceType": "Bundle", "entry": [{"resource": inner}, {"resource": PERSON}]}
    assert len(all_of(json.dumps(outer))) == 2
    assert all_of(json.dumps({"fullUrl": "urn:uuid:1", "resource": inner})) == [Entry(None, PERSON)]


def test_bundles_without_end_are_not_followed() -> None:
    bundle: dict[str, object] = PERSON
    for _ in range(100):
        bundle = {"resourceType": "Bundle", "entry": [{"resource": bundle}]}
    (entry,) = all_of(json.dumps(bundle))
    assert entry.resource["resourceType"] == "Bundle"


@pytest.mark.usefixtures("step")
def test_an_entry_that_only_asks_is_empty_and_one_of_a_list_is_none() -> None:
    deletion = {"request": {"method": "DELETE", "url": "Patient/1"}}
    assert all_of(json.dumps({"resourceType": "Bundle", "entry": [deletion, "x", 1]})) == [Entry(None, {})]
    listed = {"resourceType": "List", "id": "1", "entry": [{"item": {"reference": "Patient/1"}}]}
    (entry,) = all_of(json.dumps(listed))
    assert entry.resource["id"] == "1"


@pytest.mark.usefixtures("step")
@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"resourceType":"Patient"', 1),
        ('{"resourceType":"Patient",}', 1),
        ('{"resourceType":"Patient"}\n\n{"id":tru}', 3),
        ('{"resourceType":"Bundle","entry":[\n{"resource":{}},\n]}', 3),
        ('{"resourceType":"Bundle","entry":[\n{"resource":{}}\n{"resource":{}}]}', 3),
        ('{"resourceType":"Bundle",\n"entry":[{"resource":{"id":"x', 2),
        ('{"resourceType":"Patient"}\n["resourceType"]', 2),
        ('{"resourceType":"Patient"}\nresourceType,id', 2),
        ('{"id":1 "x":2}', 1),
        ("{'id':1}", 1),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(content: str, line: int) -> None:
    with pytest.raises(SourceError, match=rf"file\.json, line {line}: ") as refused:
        all_of(content)
    assert "resourceType" not in str(refused.value)


@pytest.mark.usefixtures("step")
@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_are_no_numbers_are_refused(name: str) -> None:
    with pytest.raises(SourceError, match=r"line 2: .*no numbers"):
        all_of('{"resourceType":"Patient"}\n{"value":' + name + "}")


@pytest.mark.usefixtures("step")
def test_half_a_character_and_nul_are_refused_and_a_whole_one_is_not() -> None:
    assert all_of(r'{"a":"\ud83d\ude00","b":"\\ud83d"}')[0].resource == {"a": "😀", "b": r"\ud83d"}
    with pytest.raises(SourceError, match="half a character"):
        all_of(r'{"a":["\ud83d"]}')
    with pytest.raises(SourceError, match="NUL"):
        all_of(r'{"a":{"b":"\u0000"}}')


@pytest.mark.usefixtures("step")
def test_other_encodings_are_refused_with_their_line() -> None:
    with pytest.raises(SourceError, match=r"line 2: The text is not UTF-8"):
        all_of('{"resourceType":"Patient",\n"a":"é"}'.encode("latin-1"))
    with pytest.raises(SourceError, match="not UTF-8"):
        all_of('{"a":"é'.encode()[:-1])


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
def test_nesting_without_end_is_refused(deep: str) -> None:
    with pytest.raises(SourceError, match="nested too deeply"):
        all_of('{"resourceType":"Patient","a":' + deep)


def test_a_record_beyond_the_limit_is_refused_and_many_small_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD_BYTES", 100_000)
    monkeypatch.setattr(fhir_json, "_STEP", 10_000)
    small = json.dumps({"resourceType": "Patient", "a": "x" * 20_000})
    assert len(all_of("\n".join([small] * 20))) == 20
    for large in (
        '{"a":"' + "x" * 200_000 + '"}',
        '{"a":"' + "x" * 200_000,
        '{"resourceType":"Patient","a":[' + "1," * 99_999,
    ):
        with pytest.raises(SourceError, match="A record of the JSON is larger"):
            all_of(large)


def test_a_gzipped_file_is_read_and_a_cut_or_swollen_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "\n".join(json.dumps({**PERSON, "id": str(i)}) for i in range(5000)).encode()
    assert len(all_of(gzip.compress(content))) == 5000
    with pytest.raises(SourceError, match="gzip file is cut off"):
        all_of(gzip.compress(content)[:-20])
    monkeypatch.setattr(limits, "RATIO_COUNTS_FROM", 1000)
    with pytest.raises(SourceError, match="more than 200 times"):
        all_of(gzip.compress(b'{"a":"' + b" " * 3_000_000 + b'"}'))


def test_only_one_entry_of_a_bundle_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_json, "_STEP", 1000)
    held: list[int] = []
    grow = fhir_json._Text._grow

    def watched(text: fhir_json._Text) -> bool:
        held.append(len(text._text))
        return grow(text)

    monkeypatch.setattr(fhir_json._Text, "_grow", watched)
    people = [{"resource": {"resourceType": "Patient", "id": str(i), "a": "x" * 100}} for i in range(2000)]
    assert len(all_of(json.dumps({"resourceType": "Bundle", "entry": people}))) == 2000
    assert max(held) < 5000


def test_json_that_is_no_fhir_is_an_unused_file(tmp_path: Path) -> None:
    extract = read(tmp_path, {"patient.csv": PATIENT, "package.json": '{"a": 1}', "x.ndjson": "", "y.jsonl": "["})
    assert checks(extract) == ["file_not_used"] * 3


def test_fhir_beside_canonical_tables_is_an_unused_file(tmp_path: Path) -> None:
    extract = read(tmp_path, {"patient.csv": PATIENT, "Patient.ndjson": json.dumps(PERSON)})
    assert checks(extract) == ["file_not_used"]


@pytest.mark.parametrize("content", ['{"a": 1}', "", "{"])
def test_json_that_is_no_fhir_is_refused_alone(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, {"patient.json": content}) / "patient.json"
    for source in (path, tmp_path):
        with pytest.raises(SourceError, match="No registry format"):
            read_sources([source])
