"""The macros that the warehouse carries for its analysts: one SQL file each in `sql/macros/`, kept in schema `mart`."""

import re
from dataclasses import dataclass
from typing import Final

from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.resources import sql, sql_names
from crlm_pipeline.sql_head import Stated, head_of, statement_of

FIELDS: Final = ("title", "grain", "parameter", "columns", "example")
_ONCE: Final = ("title", "grain", "example")
_DEFAULT: Final = " := "


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a macro; `default` is an SQL literal, unknown where the caller must say."""

    name: str
    default: str | None
    sentence: str

    @property
    def declared(self) -> str:
        """The parameter as the definition of the macro writes it."""
        return self.name if self.default is None else f"{self.name}{_DEFAULT}{self.default}"


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro as its SQL file states it; `statement` has a `$name` for each parameter."""

    name: str
    title: str
    grain: str
    parameters: tuple[Parameter, ...]
    columns: str
    example: str
    statement: str

    @property
    def is_value(self) -> bool:
        """Whether it stands for one value of a query instead of a table."""
        return self.grain.startswith("one value")

    @property
    def qualified_name(self) -> str:
        """`mart.name`, as in SQL."""
        return f"mart.{self.name}"

    @property
    def signature(self) -> str:
        """How it is called, defaults included."""
        return f"{self.qualified_name}({', '.join(each.declared for each in self.parameters)})"

    @property
    def definition(self) -> str:
        """The statement that stores it; a parameter stands there by its name alone."""
        body = re.sub(r"\$(\w+)", r"\1", self.statement)
        made = body.removeprefix("select") if self.is_value else f"table {body}"
        return f"create macro {self.signature} as {made}"

    @property
    def comment(self) -> str:
        """What the warehouse says of it."""
        said = [f"{each.name}: {each.sentence}." for each in self.parameters]
        columns = [f"Columns: {self.columns}."] if self.columns else []
        return " ".join([self.title, f"Grain: {self.grain}.", *said, *columns, f"Example: {self.example};"])


def macros() -> list[Macro]:
    """Return every macro, by name; raises `KnowledgeError` for a head that is incomplete."""
    return [_macro(name) for name in sql_names("macros")]


def _macro(sql_name: str) -> Macro:
    text = sql(sql_name)
    stated = head_of(text)
    _refuse_incomplete(sql_name, stated)
    texts = {each.field: each.text for each in stated}
    macro = Macro(
        name=sql_name.rpartition("/")[2],
        title=texts["title"],
        grain=texts["grain"],
        parameters=tuple(_parameter(each.text) for each in stated if each.field == "parameter"),
        columns=texts.get("columns", ""),
        example=texts["example"],
        statement=statement_of(text),
    )
    used, declared = set(re.findall(r"\$(\w+)", macro.statement)), {each.name for each in macro.parameters}
    if used != declared:
        message = f"sql/{sql_name}.sql: the head and the statement differ in {', '.join(sorted(used ^ declared))}."
        raise KnowledgeError(message)
    return macro


def _refuse_incomplete(sql_name: str, stated: list[Stated]) -> None:
    fields = [each.field for each in stated]
    wrong = [name for name in _ONCE if fields.count(name) != 1] + sorted(set(fields) - set(FIELDS))
    if wrong:
        message = f"sql/{sql_name}.sql: the head states {', '.join(FIELDS)}; check: {', '.join(wrong)}."
        raise KnowledgeError(message)


def _parameter(text: str) -> Parameter:
    declared, _, sentence = text.partition(": ")
    name, _, default = declared.partition(_DEFAULT)
    return Parameter(name, default or None, sentence)
