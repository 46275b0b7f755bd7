-- title: What was known at a decision, one fact a row.
-- grain: fact: column of cohort.decision, in its order; a null value is unknown
-- parameter: decision: a decision_id
-- example: from mart.facts_of('P0000007/systemic/1')
with
one as (
    select to_json(decided) as facts
    from cohort.decision as decided
    where decided.decision_id = $decision
),

named as (
    select
        facts,
        unnest(json_keys(facts)) as fact
    from one
)

select
    fact,
    facts ->> fact as value
from named
