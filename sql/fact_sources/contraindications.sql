-- The assessments that recorded a contraindication up to the facts_date.
-- Grain: decision, fact and row. Parameters: none.
select
    decided.decision_id,
    unnest(
        case
            when list_has_any(assessment.contraindications, ['dpd_partial', 'dpd_complete'])
                then ['contraindications', 'dpd']
            else ['contraindications']
        end
    ) as fact,
    assessment.source_file_id,
    'assessment' as table_name,
    assessment.source_row,
    'a contraindication recorded so far' as reason
from cohort.decision as decided
inner join extract.assessment as assessment
    on
        decided.patient_id = assessment.patient_id
        and decided.facts_date >= assessment.assessment_date
where len(assessment.contraindications) > 0
