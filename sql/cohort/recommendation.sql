-- Purpose: every option that a candidate rule holds out for a decision, from the codes of its state of knowledge.
-- Grain: decision, edition, rule and option.
create view cohort.recommendation as
with held_out as (
    select
        found.decision_id,
        found.guideline,
        found.edition_id,
        held.rule_id,
        held.option_no,
        min(held.certainty) as certainty
    from cohort.edition_state as found
    inner join cohort.state_option as held
        on found.state_no = held.state_no and found.edition_id = held.edition_id
    -- A rolling edition may be evaluated twice within grace; an option is definite when it is so in one of them.
    group by all
)

select
    held_out.decision_id,
    held_out.guideline,
    held_out.edition_id,
    held_out.rule_id,
    rule.pathway,
    held_out.certainty,
    held_out.option_no,
    option.treatment,
    option.preference,
    option.grade,
    option.state
from held_out
inner join guideline.rule as rule
    on held_out.edition_id = rule.edition_id and held_out.rule_id = rule.rule_id
inner join guideline.option as option
    on
        held_out.edition_id = option.edition_id
        and held_out.rule_id = option.rule_id
        and held_out.option_no = option.option_no
