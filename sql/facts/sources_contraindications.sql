-- The assessments that recorded a contraindication up to the facts_date.
-- Grain: decision, fact and row. Reads `decided`. Parameters: none.
with recorded as (
    select
        decided.decision_id,
        assessment.source_file_id,
        assessment.source_row,
        unnest(
            case
                when list_has_any(assessment.contraindications, ['dpd_partial', 'dpd_complete'])
                    then ['contraindications', 'dpd']
                else ['contraindications']
            end
        ) as fact
    from decided
    inner join extract.assessment as assessment
        on
            decided.patient_id = assessment.patient_id
            and decided.facts_date >= assessment.assessment_date
    where len(assessment.contraindications) > 0
)

select
    decision_id,
    fact,
    source_file_id,
    'assessment' as table_name,
    source_row,
    'a contraindication recorded so far' as reason
from recorded
order by decision_id, fact, source_file_id, source_row
