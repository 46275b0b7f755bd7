-- The responses before a decision that its facts about response rest on.
-- Grain: decision, fact and row. Parameters: none.
with responded as (
    select
        decided.decision_id,
        outcome.source_file_id,
        outcome.source_row,
        outcome.outcome,
        unnest(
            [
                case when decided.response_days is not null then 'response_days' end,
                case when decided.had_anti_egfr_response then 'had_anti_egfr_response' end
            ]
        ) as fact
    from cohort.decision as decided
    inner join extract.outcome as outcome
        on
            decided.patient_id = outcome.patient_id
            and decided.decision_date >= outcome.outcome_date
    where outcome.outcome in ('complete_response', 'partial_response')
)

select distinct
    decision_id,
    fact,
    source_file_id,
    'outcome' as table_name,
    source_row,
    concat('outcome before the decision: ', outcome) as reason
from responded
where fact is not null
