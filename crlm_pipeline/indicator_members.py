"""The macro that lists who an indicator counts, made of the statements that the indicator is counted by."""

import re
from typing import Final

from crlm_pipeline.ddl import literal
from crlm_pipeline.indicators import CARE, Definition, definitions
from crlm_pipeline.macros import Macro, Parameter
from crlm_pipeline.resources import reference, sql
from crlm_pipeline.sql_head import statement_of

# What a statement is given when the indicators are counted, as the published file knows it.
_GIVEN: Final = {"as_of": "(select max(as_of) from audit.run)"}

_STATES: Final = """
select
    {id} as indicator_id,
    member_id::varchar as member_id,
    centre_id,
    event_date,
    case
        {kept_out}
        when in_denominator and in_numerator then 'met'
        when in_denominator and not in_numerator then 'not met'
        when in_denominator is null or in_denominator then 'not evaluable'
        else 'outside the denominator'
    end as state
from ({statement})
where in_population
"""


def members_macro() -> Macro:
    """Return `mart.members_of_indicator`."""
    care = [f"{name} as ({_given(statement_of(sql(f'care/{sql_name}')))})" for sql_name, name in CARE.items()]
    shared = ",\n".join([f"country(alpha_2, is_eu_eea) as ({_countries()})", *care])
    members = "\nunion all\n".join(map(_members, definitions()))
    return Macro(
        name="members_of_indicator",
        title="Who an indicator counts, and as what.",
        grain="member of the population of the indicator",
        parameters=(Parameter("indicator", None, "id, e.g. 'P3'"),),
        columns="member_id is a patient, a decision or a result, as the indicator says; state is met or not met "
        "(numerator, rest of the denominator), not evaluable, excluded, excepted, or outside the denominator",
        example="select state, count(*) as n from mart.members_of_indicator('P3') group by all order by all",
        statement=f"with {shared}\nfrom ({members}) where indicator_id = $indicator order by member_id",
    )


def _countries() -> str:
    rows = (f"({literal(each['alpha_2'])}, {each['is_eu_eea']})" for each in reference("countries"))
    return f"values {', '.join(rows)}"


def _members(definition: Definition) -> str:
    kept_out = {
        "excluded": ("in_exclusion", definition.exclusions),
        "excepted": ("in_exception", definition.exceptions),
    }
    cases = [f"when {column} then {literal(state)}" for state, (column, words) in kept_out.items() if words != "none"]
    statement = _given(statement_of(sql(definition.sql_name)))
    return _STATES.format(id=literal(definition.id), kept_out=" ".join(cases), statement=statement)


def _given(statement: str) -> str:
    return re.sub(r"\$(\w+)", lambda found: _GIVEN[found[1]], statement)
