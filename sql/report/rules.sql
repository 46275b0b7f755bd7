-- What each rule of an edition in use says, in one sentence; no counts.
-- Grain: rule id, from the latest edition that holds it. Parameters: none.
select
    rule_id,
    arg_max(title, edition_id) as title,
    arg_max(state, edition_id) as state
from guideline.rule
group by rule_id
order by rule_id
