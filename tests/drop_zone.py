"""A server with a drop zone, for the tests that do nights over it."""

import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from crlm_pipeline.provenance import now
from crlm_pipeline.warehouse import Warehouse
from flows.configuration import Configured
from flows.journal import Entry, entries
from flows.nightly import Perform, here, night
from schemas.audit import Run

Row = Mapping[str, str]


class Server:
    """A folder with `crlm.toml`, a drop zone and what nights make of it."""

    def __init__(self, folder: Path, drops: str = "", mappings: Sequence[Path] = ()) -> None:
        self.folder, self.zone, self.warehouse = folder, folder / "zone", folder / "crlm.duckdb"
        self.zone.mkdir(parents=True, exist_ok=True)
        self.settings = folder / "crlm.toml"
        self.settings.write_text(
            f"""
            warehouse = "crlm.duckdb"
            report = "report"
            mapping = {[str(path) for path in mappings]}
            [judging]
            as_of = 2026-01-01
            judge_by = "esmo_2022_10"
            [drops]
            zone = "zone"
            settle_seconds = 0
            {drops}
            """
        )

    @classmethod
    def copied(cls, begun: Path, folder: Path, drops: str = "", mappings: Sequence[Path] = ()) -> "Server":
        """A server that goes on from what lies in another's folder."""
        shutil.copytree(begun, folder)
        return cls(folder, drops, mappings)

    def night(self, perform: Perform = here, after: timedelta = timedelta(seconds=1)) -> Entry:
        """Do a night; `after`: how much later than now it seems to be."""
        return night(Configured.read(self.settings), perform, clock=lambda: now() + after)

    def drop(self, source: str, name: str, of: Path) -> Path:
        """Let a copy of a folder arrive."""
        return Path(shutil.copytree(of, self.zone / source / name))

    def rows(self, source: str, name: str, **tables: Sequence[Row]) -> Path:
        """Let a folder with these rows arrive."""
        folder = self.zone / source / name
        folder.mkdir(parents=True)
        for table, rows in tables.items():
            lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
            (folder / f"{table}.csv").write_text("\n".join(lines) + "\n")
        return folder

    def written(self, drop: Path, day: int) -> None:
        """Let a drop be written on that day."""
        for file in drop.rglob("*"):
            os.utime(file, (86400 * (day + 1),) * 2)

    def content(self) -> str:
        with Warehouse.open_readonly(self.warehouse) as opened:
            return str(opened.read(Run)["content_hash"].item())

    def lying(self, outcome: str) -> list[str]:
        """What lies under an outcome, as source/name, whatever the run."""
        return sorted("/".join(path.parts[-2:]) for path in self.zone.glob(f"{outcome}/*/*/*"))

    @property
    def journal(self) -> list[Entry]:
        return entries(self.warehouse)
