"""What the pages tell a reader to type works, and the results that they show are those of the example."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from crlm_pipeline import cookbook as module
from crlm_pipeline.cookbook import Recipe, recipes
from crlm_pipeline.documentation import joins, pages_with_results
from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import AUDIT_MODELS
from schemas.cohort import COHORT_MODELS
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS
from schemas.guideline import GUIDELINE_MODELS
from schemas.mart import MART_MODELS
from tests.analyst.conftest import DOCS, ROOT, Done, blocks, do

NOTEBOOK = ROOT / "notebooks" / "registry.py"


def test_the_commands_of_the_tutorial_do_what_it_says(tutorial: tuple[Path, list[Done]]) -> None:
    folder, commands = tutorial
    assert [(each.text, each.err) for each in commands if each.code] == []
    assert len(list((folder / "my_registry").glob("*.csv"))) == 8
    said = {each.text.split()[1]: each.out for each in commands}
    assert "8 warnings" in said["run"]
    assert "esmo.x01" in said["explain"]
    assert (folder / "report" / "index.html").is_file()
    assert (folder / "report" / "data" / "verdicts.csv").is_file()


@pytest.mark.parametrize("page", ["tutorial.md", "how-to/analyst.md"])
def test_the_scripts_of_a_page_run_beside_the_tutorials_warehouse(page: str, tutorial: tuple[Path, list[Done]]) -> None:
    scripts = blocks(page, "python")
    assert len(scripts) > 1
    for script in scripts:
        done = do([sys.executable, "-c"], script, tutorial[0])
        assert done.code == 0, done.err
        assert done.out


def test_the_tutorials_cell_has_the_one_decision_that_it_names(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.sql("select decision_id from mart.decisions_of_cell('contraindicated')").fetchall()
    assert found == [("P0000221/systemic/1",)]


def test_there_are_at_least_twenty_questions_of_analysts_and_auditors() -> None:
    readers = [recipe.reader for recipe in recipes()]
    assert len(readers) >= 20
    assert set(readers) == {"analyst", "auditor"}


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.sql_name)
def test_a_question_is_answered_with_the_columns_that_it_states(
    recipe: Recipe, connection: duckdb.DuckDBPyConnection
) -> None:
    answer = connection.sql(recipe.statement)
    assert tuple(answer.columns) == recipe.columns
    assert answer.fetchone() is not None


def test_the_results_in_the_pages_are_those_of_the_example(example: Path) -> None:
    with Warehouse.open_readonly(example) as warehouse:
        made = pages_with_results(warehouse)
    stale = [name for name, text in made.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert not stale, f"run `make docs`: {stale}"


@pytest.mark.parametrize("text", ["-- question: q\n-- for: f\nselect 1", "-- question: q\n-- question: q\nselect 1"])
def test_a_question_with_an_incomplete_head_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(module, "sql", lambda _: text)
    with pytest.raises(KnowledgeError, match="each once"):
        recipes()


def test_the_queries_of_the_readme_have_answers(connection: duckdb.DuckDBPyConnection) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    statements = [each for block in re.findall(r"```sql\n(.*?)```", text, re.DOTALL) for each in block.split(";")[:-1]]
    assert len(statements) == 3
    assert all(connection.sql(statement).fetchone() for statement in statements)


def test_every_join_of_the_dictionary_meets_at_most_one_row(connection: duckdb.DuckDBPyConnection) -> None:
    models = (*EXTRACT_MODELS, *COHORT_MODELS, *GUIDELINE_MODELS, *MART_MODELS, *AUDIT_MODELS)
    met = {each for model in models for each in joins(describe(model))}
    assert len(met) == 10
    for name, columns in met:
        key = ", ".join(columns)
        repeated = connection.sql(f"select {key} from {name} group by {key} having count(*) > 1").fetchall()
        assert repeated == [], name


def test_the_notebook_runs_from_top_to_bottom(example: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(NOTEBOOK), "--warehouse", str(example)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_notebook_does_not_run_on_what_is_no_warehouse(tmp_path: Path) -> None:
    command = [sys.executable, str(NOTEBOOK), "--warehouse", str(tmp_path / "none.duckdb")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0


def test_the_page_of_the_notebook_is_what_marimo_makes_of_it(connection: duckdb.DuckDBPyConnection) -> None:
    command = [str(Path(sys.executable).parent / "marimo"), "export", "md", str(NOTEBOOK)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    page = (DOCS / "notebook.md").read_text(encoding="utf-8")
    assert re.sub(r"^(```[a-z]+) \{\.marimo.*\}$", r"\1", made, flags=re.MULTILINE) == page, "run `make docs`"
    queries = blocks("notebook.md", "sql")
    assert len(queries) == 5
    assert all(connection.sql(query).fetchone() for query in queries)
