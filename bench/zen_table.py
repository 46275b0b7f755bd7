"""The ladder of an edition as a decision table of zen-engine, with what is unknown made explicit.

zen knows no third truth value: its comparisons refuse a null. So every unknown fact becomes a value of its own, and
every rule two rows: one asks whether it matches; one counts the unknown as met and so asks whether it may match.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import zen

from crlm_pipeline.guidelines.clauses import Clause, Condition, rule_clauses
from crlm_pipeline.guidelines.model import Edition, Range, fact_columns
from crlm_pipeline.guidelines.truth import Reading
from schemas import vocabulary as v

Answer = tuple[frozenset[str], frozenset[str]]
Context = dict[str, object]
Response = Mapping[str, Any]

_UNKNOWN_NUMBER = -1
_UNKNOWN_TEXT = "?"
_BEYOND = 10**6  # more than any number of a decision
_MATCHES, _MAY_MATCH = "+", "~"


class ZenLadder:
    """An edition's ladder in zen-engine."""

    def __init__(self, edition: Edition) -> None:
        """Take all rules of the ladder; an edition that is not rolling has no others."""
        clauses = [(rule.id, each) for rule in edition.ladder for each in _own(rule_clauses(rule, 0))]
        self.facts = sorted({condition.fact for _, clause in clauses for condition in clause.conditions})
        graph = _graph(self.facts, clauses)
        self._engine = zen.ZenEngine({"loader": {"type": "static", "content": {"ladder": graph}}})

    def encode(self, decision: Mapping[str, object]) -> Context:
        """Return the facts of a decision as zen is given them."""
        return {fact: _encoded(fact, decision[fact]) for fact in self.facts}

    def evaluate(self, contexts: Iterable[Context]) -> list[Response]:
        """Return zen's responses, by a call for each context."""
        return [self._engine.evaluate("ladder", context) for context in contexts]

    def evaluate_batch(self, contexts: Iterable[Context]) -> list[Response]:
        """Return zen's responses, by one call for all."""
        requests = [{"key": "ladder", "context": context} for context in contexts]
        return [each["data"] for each in self._engine.evaluate_batch(requests)]


def answer_of(response: Response) -> Answer:
    """Return the rules that match and those that match or may match."""
    found = {row["rule"] for row in response["result"]}
    return _named(found, _MATCHES), _named(found, _MAY_MATCH)


def _named(found: set[str], kind: str) -> frozenset[str]:
    return frozenset(each[1:] for each in found if each[0] == kind)


def _own(clauses: Iterable[Clause]) -> list[Clause]:
    return [clause for clause in clauses if clause.option_no is None]


def _encoded(fact: str, value: object) -> object:
    kind = fact_columns()[fact]
    if kind.is_list:
        return [_UNKNOWN_TEXT] if value is None else value
    if value is None or value in v.UNDECIDED:
        return _UNKNOWN_NUMBER if _is_number(fact) else _UNKNOWN_TEXT
    return value if _is_number(fact) else str(value)


def _is_number(fact: str) -> bool:
    return fact_columns()[fact].dtype.is_numeric()


def _graph(facts: Sequence[str], clauses: Sequence[tuple[str, Clause]]) -> dict[str, object]:
    rows = [_row(rule_id, clause, kind) for rule_id, clause in clauses for kind in (_MATCHES, _MAY_MATCH)]
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": fact, "field": fact, "name": fact} for fact in facts],
        "outputs": [{"id": "rule", "field": "rule", "name": "rule"}],
        "rules": [{"_id": str(number), **dict.fromkeys(facts, ""), **row} for number, row in enumerate(rows)],
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "content": {}},
        {"id": "table", "type": "decisionTableNode", "name": "table", "content": table},
        {"id": "out", "type": "outputNode", "name": "out", "content": {}},
    ]
    edges = [
        {"id": f"{start}-{end}", "sourceId": start, "targetId": end, "type": "edge"}
        for start, end in (("in", "table"), ("table", "out"))
    ]
    return {"nodes": nodes, "edges": edges}


def _row(rule_id: str, clause: Clause, kind: str) -> dict[str, str]:
    cells = {each.fact: _asked(each, is_open=_is_open(each, kind)) for each in clause.conditions}
    assert len(cells) == len(clause.conditions), "a cell asks once"
    return {**cells, "rule": f"'{kind}{rule_id}'"}


def _is_open(condition: Condition, kind: str) -> bool:
    return kind == _MAY_MATCH and condition.reading is not Reading.KNOWN


def _asked(condition: Condition, *, is_open: bool) -> str:
    if isinstance(condition.test, Range):
        return _range(condition.test, is_open=is_open)
    if _is_number(condition.fact):
        wanted = [str(value) for value in condition.test] + ([str(_UNKNOWN_NUMBER)] if is_open else [])
        return _one_of(wanted, condition.fact)
    wanted = [f"'{value}'" for value in condition.test] + ([f"'{_UNKNOWN_TEXT}'"] if is_open else [])
    return _one_of(wanted, condition.fact)


def _one_of(wanted: Sequence[str], fact: str) -> str:
    options = f"[{', '.join(wanted)}]"
    return f"some($, # in {options})" if fact_columns()[fact].is_list else f"$ in {options}"


def _range(test: Range, *, is_open: bool) -> str:
    # Brackets and `or` only: zen takes a cell that it cannot parse for one that is not met, and says nothing.
    low, high = test.gt if test.gte is None else test.gte, test.lt if test.lte is None else test.lte
    opening, closing = "[" if test.gt is None else "(", "]" if test.lt is None else ")"
    within = f"$ in {opening}{low or 0}..{_BEYOND if high is None else high}{closing}"
    return f"$ == {_UNKNOWN_NUMBER} or {within}" if is_open else within
