"""When a drop is complete, at both sides of each boundary; that it is moved in one step, never lost, never followed."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from flows import drops
from flows.drops import Drop, Found, look, put_away, take, taken

SETTLE = 300
DAY = drops.GIVEN_UP_AFTER_SECONDS


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    (tmp_path / "zone" / "lab").mkdir(parents=True)
    return tmp_path / "zone"


def delivered(zone: Path, *names: str) -> Path:
    """A folder `monday` of a source with these files, each holding its name."""
    folder = zone / "lab" / "monday"
    for name in names or ("patient.csv",):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def manifest(folder: Path, *names: str) -> None:
    lines = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names]
    (folder / "manifest.sha256").write_text("".join(lines))


def looked(zone: Path, seconds: float = 0.0) -> Found:
    """Look so many seconds after the last change of anything of a drop."""
    last = max(path.lstat().st_ctime for path in (zone / "lab").rglob("*"))
    at = datetime.fromtimestamp(last, tz=UTC).replace(tzinfo=None) + timedelta(seconds=seconds)
    return look(zone, at, SETTLE)


def complete(found: Found) -> list[str]:
    assert not found.troubles
    return [drop.path.name for drop in found.complete]


def test_without_marker_or_manifest_a_drop_is_complete_when_it_did_not_change_for_the_time_to_settle(
    zone: Path,
) -> None:
    delivered(zone)
    early = looked(zone, SETTLE - 0.01)
    assert (complete(early), [drop.path.name for drop in early.arriving]) == ([], ["monday"])
    assert complete(looked(zone, SETTLE + 0.01)) == ["monday"]


def test_what_was_copied_with_its_old_time_has_not_settled_before(zone: Path) -> None:
    os.utime(delivered(zone) / "patient.csv", (0, 0))
    assert complete(looked(zone, SETTLE - 0.01)) == []


def test_a_hidden_file_that_grows_keeps_a_folder_from_settling(zone: Path) -> None:
    folder = delivered(zone)
    (folder / ".tumour.csv.Xy12").write_text("half")
    assert complete(looked(zone, SETTLE - 0.01)) == []
    assert complete(looked(zone, SETTLE + 0.01)) == ["monday"]


@pytest.mark.parametrize("marker", ["monday/_COMPLETE", "monday.complete"])
def test_a_marker_makes_a_folder_complete_at_once(zone: Path, marker: str) -> None:
    delivered(zone)
    assert complete(looked(zone)) == []
    (zone / "lab" / marker).touch()
    assert complete(looked(zone)) == ["monday"]


def test_a_marker_makes_a_file_complete_at_once_and_goes_with_it(zone: Path) -> None:
    (zone / "lab" / "export.xml").write_text("x")
    assert complete(looked(zone)) == []
    (zone / "lab" / "export.xml.complete").touch()
    (drop,) = looked(zone).complete
    take(zone, drop)
    assert list((zone / "lab").iterdir()) == []
    assert [path.name for path in (zone / "_taken/lab/export.xml").iterdir()] == ["export.xml"]


def test_a_manifest_that_agrees_makes_a_folder_complete_at_once(zone: Path) -> None:
    folder = delivered(zone, "patient.csv", "more/tumour.csv")
    manifest(folder, "patient.csv", "more/tumour.csv")
    assert complete(looked(zone)) == ["monday"]


def test_a_manifest_beside_a_file_that_agrees_makes_it_complete_at_once(zone: Path) -> None:
    (zone / "lab" / "export.xml").write_text("x")
    (zone / "lab" / "export.xml.sha256").write_text(f"{hashlib.sha256(b'x').hexdigest().upper()} *./export.xml\r\n")
    (drop,) = looked(zone).complete
    take(zone, drop)
    assert sorted(path.name for path in (zone / "_taken/lab/export.xml").iterdir()) == [
        ".manifest.sha256",
        "export.xml",
    ]


@pytest.mark.parametrize(
    ("listed", "changed", "why"),
    [
        (("patient.csv", "tumour.csv"), "tumour.csv", "tumour.csv: its content is not what the manifest says."),
        (("patient.csv",), None, "tumour.csv: is not in the manifest."),
    ],
)
def test_what_differs_from_the_manifest_is_refused_once_it_has_settled(
    zone: Path, listed: tuple[str, ...], changed: str | None, why: str
) -> None:
    folder = delivered(zone, "patient.csv", "tumour.csv")
    manifest(folder, *listed)
    if changed:
        (folder / changed).write_text("other")
    early, late = looked(zone, SETTLE - 0.01), looked(zone, SETTLE + 0.01)
    assert (early.complete, early.refused, len(early.arriving)) == ((), (), 1)
    assert (late.complete, late.arriving) == ((), ())
    assert [one.why for one in late.refused] == [f"{why} Deliver all of it anew."]
    (folder / "_COMPLETE").touch()
    assert len(looked(zone).refused) == 1, "who says that it is complete has nothing to add"


def test_a_line_that_is_none_of_a_manifest_is_named(zone: Path) -> None:
    folder = delivered(zone)
    (folder / "manifest.sha256").write_text("patient.csv\n")
    (refused,) = looked(zone, SETTLE + 0.01).refused
    assert refused.why.startswith("manifest.sha256, line 1: is not as sha256sum writes it.")


@pytest.mark.parametrize("unfinished", [(), ("tumour.csv.part",)])
def test_a_file_that_is_listed_or_half_there_is_waited_for_a_day(zone: Path, unfinished: tuple[str, ...]) -> None:
    folder = delivered(zone, "patient.csv", *unfinished)
    if not unfinished:
        manifest(folder, "patient.csv", "tumour.csv")
    early, late = looked(zone, DAY - 0.01), looked(zone, DAY + 0.01)
    assert (early.complete, early.refused, len(early.arriving)) == ((), (), 1)
    assert [one.why.partition(":")[0] for one in late.refused] == [*unfinished] or ["tumour.csv"]
    assert "is not there, or not whole" in late.refused[0].why


@pytest.mark.parametrize(
    "name", [".hidden", "x.csv.part", "x.csv.tmp", "x.csv.filepart", "gone.complete", "gone.csv.sha256", "_own"]
)
def test_what_is_no_drop_is_left_alone(zone: Path, name: str) -> None:
    (zone / "lab" / name).write_text("x")
    assert looked(zone, 2 * DAY) == Found((), (), (), ())


def test_an_empty_folder_is_waited_for(zone: Path) -> None:
    (zone / "lab" / "monday").mkdir()
    assert complete(looked(zone, 2 * DAY)) == []


@pytest.mark.parametrize("where", ["lab/monday/link.csv", "lab/link.csv"])
def test_a_link_is_refused_and_not_followed(zone: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "secret.csv").write_text("of others")
    delivered(zone)
    (zone / where).symlink_to(tmp_path / "secret.csv")
    (refused,) = looked(zone, SETTLE + 1).refused
    assert "is a link, which is not followed" in refused.why
    put_away(zone, "r1", refused.drop, refused.outcome, refused.why)
    assert (tmp_path / "secret.csv").read_text() == "of others"
    assert not (zone / where).is_symlink()


def test_a_folder_of_a_source_that_is_a_link_is_told_and_not_followed(zone: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (zone / "other").symlink_to(tmp_path / "elsewhere")
    assert look(zone, datetime(2026, 1, 1), 0).troubles == (
        "other: is a link and is not followed. Make it a folder of the zone.",
    )


def test_a_link_that_was_put_in_before_the_drop_was_taken_is_seen_after_it(zone: Path, tmp_path: Path) -> None:
    folder = delivered(zone)
    (drop,) = looked(zone, SETTLE + 1).complete
    (folder / "tumour.csv").symlink_to(tmp_path)
    take(zone, drop)
    left, (refused,) = taken(zone)
    assert left == []
    assert "tumour.csv: is a link" in refused.why


def test_a_pipe_is_refused_and_not_waited_for(zone: Path) -> None:
    os.mkfifo(zone / "lab" / "export.xml")
    (refused,) = looked(zone).refused
    assert refused.why == "is neither a file nor a folder."


def test_drops_are_taken_in_the_order_of_their_content(zone: Path) -> None:
    for name, at in (("b", 100), ("c", 300), ("a", 200)):
        (zone / "lab" / f"{name}.xml").write_text(name)
        os.utime(zone / "lab" / f"{name}.xml", (at, at))
    assert complete(looked(zone, SETTLE + 1)) == ["b.xml", "a.xml", "c.xml"]


def test_one_of_the_same_name_waits_until_the_first_is_put_away(zone: Path) -> None:
    delivered(zone)
    (first,) = looked(zone, SETTLE + 1).complete
    take(zone, first)
    delivered(zone)
    (second,) = looked(zone, SETTLE + 1).complete
    with pytest.raises(SourceError, match="lab/monday: one of this name is not put away yet"):
        take(zone, second)
    (drop,), _ = taken(zone)
    put_away(zone, "r1", drop, drops.PROCESSED)
    take(zone, second)
    assert (zone / "_processed/r1/lab/monday/patient.csv").is_file()


def test_a_night_killed_while_it_took_a_file_leaves_it_in_the_zone(zone: Path) -> None:
    (zone / "_taken/lab/export.xml").mkdir(parents=True)
    (zone / "_taken/lab/export.xml/.manifest.sha256").touch()
    (zone / "lab" / "export.xml").write_text("x")
    assert taken(zone) == ([], [])
    (drop,) = looked(zone, SETTLE + 1).complete
    take(zone, drop)
    assert taken(zone)[0] == [Drop("lab", zone / "_taken/lab/export.xml")]


def test_marker_and_manifest_of_a_folder_are_hidden_from_the_readers_once_it_is_taken(zone: Path) -> None:
    folder = delivered(zone)
    manifest(folder, "patient.csv")
    (folder / "_COMPLETE").touch()
    (drop,) = looked(zone).complete
    assert sorted(path.name for path in take(zone, drop).path.iterdir()) == [
        "._COMPLETE",
        ".manifest.sha256",
        "patient.csv",
    ]


def test_what_was_taken_and_put_away_is_its_owners_alone(zone: Path) -> None:
    delivered(zone)
    (drop,) = looked(zone, SETTLE + 1).complete
    put_away(zone, "r1", take(zone, drop), drops.REJECTED, "It is wrong.")
    for name in ("_taken", "_taken/lab", "_rejected", "_rejected/r1", "_rejected/r1/lab"):
        assert (zone / name).stat().st_mode & 0o077 == 0, name
    why = zone / "_rejected/r1/lab/monday.why.txt"
    assert why.read_text() == "It is wrong.\n"
    assert why.stat().st_mode & 0o077 == 0


def test_a_zone_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere: the drop zone cannot be read \(No such file or directory\)"):
        look(tmp_path / "nowhere", datetime(2026, 1, 1), 0)
