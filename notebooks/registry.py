import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="A first look at a registry")


@app.cell
def _():
    import duckdb
    import marimo as mo

    registry = duckdb.connect(mo.cli_args().get("warehouse") or "crlm.duckdb", read_only=True)
    return mo, registry


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # A first look at a registry

    Every cell is one query on the warehouse, which is opened read-only. `marimo edit notebooks/registry.py --
    --warehouse crlm.duckdb` opens it to be changed, `python notebooks/registry.py --warehouse crlm.duckdb` runs it from
    top to bottom. Nothing here is clinical advice; the counts are true ones, so the output stays where patients' data
    may be.
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Which run is this?

    Quote the content hash beside a figure: equal sources, editions and as-of date give an equal hash.
    """)
    return


@app.cell
def _(mo, registry):
    run = mo.sql(
        f"""
        select as_of, status, package_version, content_hash, guidelines from audit.run
        """,
        engine=registry,
    )
    return (run,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## How far was the guideline followed?

    Of the decisions that could be judged. The bounds count every decision that a missing fact leaves open against and
    in favour. Put any columns of `mart.judged_decision` in the place of `centre_id`.
    """)
    return


@app.cell
def _(mo, registry):
    followed = mo.sql(
        f"""
        from mart.concordance_by('centre_id')
        """,
        engine=registry,
    )
    return (followed,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What would settle most of the open verdicts?
    """)
    return


@app.cell
def _(mo, registry):
    unlocking = mo.sql(
        f"""
        select fact, count(*) as decisions
        from (select unnest(unlocking_facts) as fact from mart.judged_decision where guideline = 'esmo' and is_crlm)
        group by fact
        order by decisions desc, fact
        """,
        engine=registry,
    )
    return (unlocking,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Who is tested?

    The line with an unknown category holds the untested: they are never counted as wild type.
    """)
    return


@app.cell
def _(mo, registry):
    tested = mo.sql(
        f"""
        from mart.biomarker_by('ras', 'side')
        """,
        engine=registry,
    )
    return (tested,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## From a cell of the report to its source rows

    The decisions judged contraindicated, and the rows that their RAS status and treatment rest on.
    """)
    return


@app.cell
def _(mo, registry):
    lineage = mo.sql(
        f"""
        select decision_id, fact, file_name, source_row, reason
        from mart.lineage_of_cell('contraindicated')
        where fact in ('ras', 'treatment')
        """,
        engine=registry,
    )
    return (lineage,)


if __name__ == "__main__":
    app.run()
