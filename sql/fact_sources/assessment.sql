-- The latest assessment on or before the facts_date, for each fact that was read from it.
-- Grain: decision, fact and row. Parameters: none.
with latest as (
    select
        decided.decision_id,
        max(assessment.assessment_date) as assessment_date
    from cohort.decision as decided
    inner join extract.assessment as assessment
        on
            decided.patient_id = assessment.patient_id
            and decided.facts_date >= assessment.assessment_date
    group by decided.decision_id
),

read_out as (
    select
        decided.decision_id,
        assessment.source_file_id,
        assessment.source_row,
        unnest(
            [
                'fong_score_min',
                'fong_score_max',
                case when decided.ecog is not null then 'ecog' end,
                case when decided.fitness is not null then 'fitness' end,
                case when decided.resectability is not null then 'resectability' end,
                case when decided.resectability is not null then 'treatment_setting' end,
                case when decided.resectability_source is not null then 'resectability_source' end,
                case when decided.is_liver_only is not null then 'is_liver_only' end,
                case when decided.is_oligometastatic is not null then 'is_oligometastatic' end,
                case when decided.is_synchronous is not null then 'is_synchronous' end,
                case when decided.crlm_count is not null then 'crlm_count' end,
                case when decided.crlm_max_mm is not null then 'crlm_max_mm' end,
                case when decided.is_bilobar is not null then 'is_bilobar' end,
                case when decided.is_ablatable is not null then 'is_ablatable' end,
                case when decided.planned_resection is not null then 'planned_resection' end,
                case when decided.liver_background is not null then 'liver_background' end,
                case when decided.child_pugh is not null then 'child_pugh' end,
                case when decided.flr_percent is not null then 'flr_percent' end,
                case when decided.cea_ng_ml is not null then 'cea_ng_ml' end,
                case when decided.cea_fall_percent is not null then 'cea_fall_percent' end,
                case when decided.tumour_burden_score is not null then 'tumour_burden_score' end
            ]
        ) as fact
    from cohort.decision as decided
    inner join latest on decided.decision_id = latest.decision_id
    inner join extract.assessment as assessment
        on
            decided.patient_id = assessment.patient_id
            and latest.assessment_date = assessment.assessment_date
)

select
    decision_id,
    fact,
    source_file_id,
    'assessment' as table_name,
    source_row,
    'the latest assessment on or before the day' as reason
from read_out
where fact is not null
