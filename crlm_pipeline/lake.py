"""A lake: the rows of patients of one run as Parquet, by table and bucket, so that buckets can be judged anywhere.

`DIR/<run>/<schema>/<table>/bucket=0007/rows.parquet`, and `DIR/<run>/manifest.json` with the rows and the SHA-256 of
every file. The warehouse shows each table as a view of its files; nothing else about it changes.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import polars as pl

from crlm_pipeline.errors import SourceError
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.provenance import is_run_id
from schemas.column import Table, describe

_MANIFEST: Final = "manifest.json"
_ROWS: Final = "rows.parquet"
_OF_PATTERNS: Final = "*?["


@dataclass(frozen=True, slots=True)
class Lake:
    """The folder of one run, and into how many buckets its patients are divided."""

    folder: Path
    bucket_count: int

    @classmethod
    def create(cls, root: Path, run_id: str, bucket_count: int) -> Self:
        """Make the folder of a run in the lake; only its owner may read it. Raises `SourceError` where it cannot be."""
        folder = root.resolve() / run_id
        if set(str(folder)) & set(_OF_PATTERNS):
            problem = f"its name holds one of {' '.join(_OF_PATTERNS)}, which would stand for other folders as well."
            raise SourceError(problem, "Choose another folder with --lake.", str(root))
        try:
            with owner_only():
                folder.mkdir(parents=True)
        except OSError as error:
            problem = f"the lake cannot be written to ({error.strerror})."
            raise SourceError(problem, "Choose another folder with --lake.", str(root)) from None
        lake = cls(folder, bucket_count)
        lake.seal()
        return lake

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the folder of a run by its manifest. Raises `SourceError` when it is gone or lacks a file."""
        manifest = _manifest(folder)
        missing = [name for name in manifest["files"] if not (folder / name).is_file()]
        if missing:
            raise SourceError(f"the lake lacks {missing[0]} and {len(missing) - 1} more.", _AGAIN, str(folder))
        return cls(folder, manifest["bucket_count"])

    @property
    def buckets(self) -> range:
        """The numbers of its buckets."""
        return range(self.bucket_count)

    def write(self, model: type[Table], bucket_no: int, frame: pl.DataFrame) -> None:
        """Write the rows of a bucket, with exactly the declared columns, in place of what stood there."""
        table = describe(model)
        assert dict(frame.schema) == table.polars_schema, f"{table.qualified_name}: columns differ"
        target = self._file(model, bucket_no)
        # Of its own name, as a worker that was given up for lost may still be writing the same bucket.
        half_written = target.with_name(f".{os.getpid()}-{target.name}")
        with owner_only():
            target.parent.mkdir(parents=True, exist_ok=True)
            frame.write_parquet(half_written, compression="lz4")
        half_written.replace(target)

    def read(self, model: type[Table], bucket_no: int) -> pl.DataFrame:
        """Return the rows of a bucket."""
        return pl.read_parquet(self._file(model, bucket_no), hive_partitioning=False)

    def holds(self, model: type[Table]) -> bool:
        """Whether rows of the table were written, of any bucket."""
        return self._table(model).is_dir()

    def files(self, model: type[Table]) -> str:
        """Return the pattern of a table's files."""
        return str(self._table(model) / "*" / _ROWS)

    def manifest(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows and the SHA-256 (`rows`, `sha256`) of every file that it held when it was last sealed."""
        files: Mapping[str, Mapping[str, Any]] = _manifest(self.folder)["files"]
        return files

    def seal(self) -> None:
        """Write the manifest of what the lake holds now."""
        written = sorted(self.folder.glob(f"*/*/*/{_ROWS}"))
        files = {str(path.relative_to(self.folder)): _described(path) for path in written}
        manifest = {"bucket_count": self.bucket_count, "files": files}
        with owner_only():
            (self.folder / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")

    def _table(self, model: type[Table]) -> Path:
        table = describe(model)
        return self.folder / table.schema / table.name

    def _file(self, model: type[Table], bucket_no: int) -> Path:
        return self._table(model) / f"bucket={bucket_no:04d}" / _ROWS


_AGAIN: Final = "Run `crlm run SOURCE... --lake DIR` again."


def _manifest(folder: Path) -> Mapping[str, Any]:
    try:
        manifest: Mapping[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SourceError("the lake's manifest cannot be read.", _AGAIN, str(folder)) from None
    return manifest


def _described(path: Path) -> Mapping[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"rows": pl.scan_parquet(path).select(pl.len()).collect().item(), "sha256": digest}


def remove_other_runs(root: Path, keep: set[Path]) -> None:
    """Remove the folders of all runs but these from a lake; whatever else lies there is left alone."""
    for folder in root.resolve().iterdir():
        if folder not in keep and folder.is_dir() and is_run_id(folder.name):
            shutil.rmtree(folder)
