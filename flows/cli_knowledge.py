"""The commands of what is known: editions, mappings, the dictionary, registries to try. Imports as in `flows.cli`."""

from pathlib import Path
from typing import Annotated

import typer

from crlm_pipeline.errors import UsageError
from flows import console
from flows.options import (
    Json,
)

app = typer.Typer(rich_markup_mode=None)
guideline_app = typer.Typer(help="The guideline editions that decisions are judged by.", rich_markup_mode=None)
mapping_app = typer.Typer(
    help="Mapping files: how a foreign layout becomes the extract contract.", rich_markup_mode=None
)


@guideline_app.command("list")
def list_editions(as_json: Json = False) -> None:
    """List the editions, with their dates and whether a clinician has signed them."""
    from crlm_pipeline.documentation import EDITION_COLUMNS, edition_rows
    from crlm_pipeline.guidelines.load import load_editions

    rows = edition_rows(load_editions())
    if as_json:
        console.say_json([dict(zip(EDITION_COLUMNS, row, strict=True)) for row in rows])
    else:
        console.say(console.table_text(EDITION_COLUMNS, rows))


@guideline_app.command("show")
def show_edition(edition: str) -> None:
    """Print an edition: its rules, in words, with sources."""
    from crlm_pipeline.documentation import edition_page
    from crlm_pipeline.guidelines.load import load_editions

    console.say(edition_page(load_editions().edition(edition)))


@guideline_app.command("diff")
def diff_editions(
    older: str,
    newer: str,
    warehouse: Annotated[
        Path | None,
        typer.Option(metavar="FILE", readable=False, help="List the decisions of this warehouse that change verdict."),
    ] = None,
) -> None:
    """Print what differs between two editions, rule by rule."""
    from crlm_pipeline.guidelines.comparison import changed_decisions, changes_in_words, compare_editions
    from crlm_pipeline.guidelines.load import load_editions
    from crlm_pipeline.warehouse import Warehouse

    knowledge = load_editions()
    editions = (knowledge.edition(older), knowledge.edition(newer))
    console.say(changes_in_words(compare_editions(*editions)))
    if warehouse is not None:
        with Warehouse.open_readonly(warehouse) as published:
            columns, rows = changed_decisions(published, knowledge, *editions)
        console.say(console.table_text(columns, rows))


@guideline_app.command("schema")
def edition_json_schema() -> None:
    """Print the JSON Schema of edition files, with which an editor completes them."""
    from crlm_pipeline.guidelines.json_schema import edition_schema

    console.say_json(edition_schema())


@guideline_app.command("review-sheet")
def review_edition(edition: str) -> None:
    """Print a sheet on which a clinician reviews and signs an edition."""
    from crlm_pipeline.guidelines.load import load_editions
    from crlm_pipeline.guidelines.review_sheet import review_sheet

    console.say(review_sheet(load_editions().edition(edition)))


@mapping_app.command("draft")
def mapping_draft(
    source: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A spreadsheet or delimited file.")],
) -> None:
    """Propose a mapping from the headers of a file and its dictionary sheet, if it has one."""
    from crlm_pipeline.extracts.mapping_draft import draft

    console.say(draft(source))


@app.command()
def example(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Write the embedded synthetic registry, about 400 invented patients."""
    from crlm_pipeline import resources

    _make_room(folder)
    for path in sorted(resources.example_folder().glob("*.csv")):
        (folder / path.name).write_bytes(path.read_bytes())
    console.say(f"example {folder}; next: crlm run {folder}")


@app.command()
def synthetic(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    patients: Annotated[int, typer.Option(metavar="N", min=1, help="How many patients.")],
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="The same seed gives the same registry.")],
    layout: Annotated[
        str, typer.Option("--format", metavar="NAME", help="Source format to write it in.")
    ] = "canonical",
    plant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An effect to find among centres that are alike; repeatable."),
    ] = None,
    is_alike: Annotated[bool, typer.Option("--alike", help="Let the centres differ in size alone.")] = False,
) -> None:
    """Write a synthetic registry of any size, in any source format that is known."""
    from crlm_pipeline.synthetic import PLANTS, alike, batch_count, found_centres, planted, write_registry, write_sample
    from crlm_pipeline.synthetic.layouts import LAYOUTS

    if layout not in LAYOUTS:
        raise UsageError(f"{layout}: no such source format. Choose one of {', '.join(LAYOUTS)}.")
    if unknown := sorted(set(plant or ()) - PLANTS.keys()):
        raise UsageError(f"{unknown[0]}: no such effect to plant. Choose from {', '.join(PLANTS)}.")
    _make_room(folder)
    centres = found_centres(patients, seed)
    centres, carriers = planted(alike(centres) if plant or is_alike else centres, plant or ())
    if layout == "canonical":
        with console.progress(batch_count(patients)) as tell:
            write_registry(folder, patients, seed, centres, tell)
    else:
        write_sample(folder, patients, seed, layout, centres)
    for name, carrier in carriers.items():
        console.say(f"planted {name} at {carrier}: {PLANTS[name].effect}")
    mappings = "".join(f" --mapping {path}" for path in sorted(folder.glob("*.yaml")))
    console.say(f"synthetic {folder}; next: crlm run {folder}{mappings}")


@app.command()
def dictionary() -> None:
    """Print the data dictionary: every table and column."""
    from crlm_pipeline.documentation import data_dictionary

    console.say(data_dictionary())


def _make_room(folder: Path) -> None:
    """Make the folder; refuses one that holds a table already, which might be a real registry."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        has_tables = any(folder.glob("*.csv"))
    except OSError as error:
        raise UsageError(f"{folder}: the folder cannot be made ({error.strerror}). Choose another one.") from None
    if has_tables:
        raise UsageError(f"{folder}: the folder holds CSV files already. Choose an empty one.")
