"""The questions of the cookbook: one SQL file each in `sql/cookbook/`, whose head says what its result means."""

from dataclasses import dataclass
from typing import Final

from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.resources import sql, sql_names
from crlm_pipeline.sql_head import head_of, statement_of

FIELDS: Final = ("question", "for", "columns", "means")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A question of an analyst or auditor, the query that answers it, and what its result means."""

    sql_name: str
    question: str
    reader: str
    columns: tuple[str, ...]
    means: str
    statement: str


def recipes() -> list[Recipe]:
    """Return every question in the order of its number; raises `KnowledgeError` for a head that is incomplete."""
    return [_recipe(name) for name in sql_names("cookbook")]


def _recipe(sql_name: str) -> Recipe:
    text = sql(sql_name)
    stated = head_of(text)
    if sorted(each.field for each in stated) != sorted(FIELDS):
        raise KnowledgeError(f"sql/{sql_name}.sql: the head states {', '.join(FIELDS)}, each once.")
    texts = {each.field: each.text for each in stated}
    return Recipe(
        sql_name=sql_name,
        question=texts["question"],
        reader=texts["for"],
        columns=tuple(texts["columns"].split(", ")),
        means=texts["means"],
        statement=statement_of(text),
    )
