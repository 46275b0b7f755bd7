"""The options that commands share, and what they are when nothing is said."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from crlm_pipeline.settings import Overdispersion, Settings, SidePolicy

# The readers tell what cannot be read, and how to mend it; Typer need not look (`readable=False`).
Sources = Annotated[
    list[Path] | None, typer.Argument(metavar="SOURCE...", readable=False, help="Files or folders of the registry.")
]
WarehouseFile = Annotated[Path, typer.Option("--warehouse", metavar="FILE", readable=False, help="The DuckDB file.")]
ReportFolder = Annotated[
    Path, typer.Option("--report", metavar="DIR", readable=False, help="The folder of the report.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Day up to which facts count; default: the latest found."),
]
Guidelines = Annotated[
    list[str] | None, typer.Option("--guideline", metavar="ID", help="A series to judge by; may be repeated.")
]
JudgeBy = Annotated[str | None, typer.Option(metavar="EDITION", help="Judge every decision by this one edition.")]
Mappings = Annotated[
    list[Path] | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="How a source maps onto the extract contract, or the name of one that ships; may be repeated.",
    ),
]
Side = Annotated[SidePolicy, typer.Option(help="How the transverse colon is sided.")]
Grace = Annotated[int, typer.Option(metavar="N", min=0, help="Days in which the older edition may count too.")]
Dispersion = Annotated[
    Overdispersion,
    typer.Option("--funnel-overdispersion", help="How funnel limits allow for centres that vary more than chance."),
]
Partial = Annotated[bool, typer.Option("--partial", help="Publish what is left even if too much was rejected.")]
Add = Annotated[
    bool, typer.Option("--add", help="Add the sources to what the warehouse holds; else they are the whole registry.")
]
PseudonymKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--pseudonym-key", metavar="FILE", readable=False, help="Replace ids by pseudonyms made with the key in FILE."
    ),
]
LakeFolder = Annotated[
    Path | None,
    typer.Option(
        "--lake",
        metavar="DIR",
        readable=False,
        help="Keep the rows of patients there as Parquet, not in the warehouse.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="Judge a lake on the Dask cluster of this scheduler. Extra: dask."),
]
LogFormatOption = Annotated[
    Literal["text", "json"] | None,
    typer.Option("--log-format", help="Log each stage to standard error, a line for each event; default: not at all."),
]
MetricsFile = Annotated[
    Path | None,
    typer.Option("--metrics-file", metavar="FILE", readable=False, help="Write metrics in Prometheus' text format."),
]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done; changes nothing.")]

DEFAULT_WAREHOUSE: Final = Path("crlm.duckdb")
DEFAULT_REPORT: Final = Path("report")
DEFAULTS: Final = Settings()


def settings_told(
    as_of: datetime | None,
    guideline: list[str] | None = None,
    judge_by: str | None = None,
    side_policy: SidePolicy = DEFAULTS.side_policy,
    grace_days: int = DEFAULTS.grace_days,
    funnel_overdispersion: Overdispersion = DEFAULTS.funnel_overdispersion,
) -> Settings:
    """Return the settings of a run as its options say."""
    return Settings(
        as_of=as_of.date() if as_of else None,
        guidelines=tuple(guideline or ()),
        judge_by=judge_by,
        side_policy=side_policy,
        grace_days=grace_days,
        funnel_overdispersion=funnel_overdispersion,
    )
