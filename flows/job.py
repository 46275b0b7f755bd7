"""What a run is asked to do, and the files that it passes through."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crlm_pipeline.settings import Settings

Counts = dict[str, int]
# Hears what is being done: names of steps, numbers of buckets, nothing of a patient.
Tell = Callable[[str], None]


def in_silence(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is asked to do: paths and settings, nothing of a patient.

    `lake`: the folder in which the rows of patients are kept as Parquet; none: in the warehouse itself.
    `scheduler`: the address of the Dask cluster that judges the lake; none: this process.
    `run_id`: the id that the run is to have; none: `ingest` draws one. `is_start_allowed`: whether an addition may be
    the first that a registry is made of.
    `builds_on`: the warehouse whose deliveries an addition adds to; none: its own. `is_judged_anew`: no decision is
    taken from the published warehouse, even if the same knowledge, rules and settings judged it.
    """

    sources: tuple[Path, ...]
    warehouse: Path
    report: Path
    mappings: tuple[Path, ...] = ()
    settings: Settings = field(default_factory=Settings)
    is_partial_allowed: bool = False
    is_addition: bool = False
    pseudonym_key: Path | None = None
    lake: Path | None = None
    scheduler: str | None = None
    run_id: str | None = None
    is_start_allowed: bool = False
    builds_on: Path | None = None
    is_judged_anew: bool = False


def ingested_file(warehouse: Path) -> Path:
    """Return the file beside the warehouse that `ingest` fills and `annotate` publishes."""
    return warehouse.with_name(f"{warehouse.name}.next")


def half_made_file(warehouse: Path) -> Path:
    """Return the file beside the warehouse that a step builds."""
    return warehouse.with_name(f"{warehouse.name}.building")
