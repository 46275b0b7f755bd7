"""The macro that lists who an indicator counts, made of the statement that the indicator is counted by."""

import re
from typing import Final

from crlm_pipeline.ddl import literal
from crlm_pipeline.indicators import Definition, definitions
from crlm_pipeline.macros import Macro, Parameter
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
    members = "\nunion all\n".join(map(_members, definitions()))
    return Macro(
        name="members_of_indicator",
        title="Who an indicator counts, and as what.",
        grain="member of the population of the indicator",
        parameters=(Parameter("indicator", None, "id, e.g. 'P3'"),),
        columns="member_id is a patient, a decision or a result, as the indicator says; state is met or not met "
        "(numerator, rest of the denominator), not evaluable, or outside the denominator",
        example="select state, count(*) as n from mart.members_of_indicator('P3') group by all order by all",
        statement=f"from ({members}) where indicator_id = $indicator order by member_id",
    )


def _members(definition: Definition) -> str:
    statement = re.sub(r"\$(\w+)", lambda found: _GIVEN[found[1]], statement_of(definition.sql_name))
    return _STATES.format(id=literal(definition.id), statement=statement)
