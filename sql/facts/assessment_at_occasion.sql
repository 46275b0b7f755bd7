-- The latest assessment on or before the facts_date, with what the earlier ones add: contraindications and highest CEA.
-- Grain: occasion. Reads `occasion`. Parameters: none.
-- The day is looked up first: an as-of join of registered frames, whose size is not known, compares every pair of rows.
with so_far as (
    select
        patient_id,
        assessment_date,
        mets_diagnosis_date,
        mets_sites,
        crlm_count,
        crlm_max_mm,
        is_bilobar,
        cea_ng_ml,
        liver_background,
        child_pugh,
        flr_percent,
        flr_ml,
        tlv_ml,
        resectability,
        resectability_source,
        is_ablatable,
        planned_resection,
        ecog,
        source_file_id,
        source_row,
        flatten(
            list(coalesce(contraindications, []))
                over (
                    partition by patient_id
                    order by assessment_date
                    rows between unbounded preceding and current row
                )
        ) as contraindications,
        max(cea_ng_ml)
            over (
                partition by patient_id
                order by assessment_date
                rows between unbounded preceding and 1 preceding
            )
            as highest_earlier_cea
    from extract.assessment
),

latest as (
    select
        occasion.occasion_id,
        occasion.patient_id,
        max(assessment.assessment_date) as assessment_date
    from occasion
    inner join extract.assessment as assessment
        on
            occasion.patient_id = assessment.patient_id
            and occasion.facts_date >= assessment.assessment_date
    group by occasion.occasion_id, occasion.patient_id
)

select
    occasion.occasion_id,
    occasion.facts_date,
    so_far.assessment_date,
    so_far.mets_diagnosis_date,
    so_far.mets_sites,
    so_far.crlm_count,
    so_far.crlm_max_mm,
    so_far.is_bilobar,
    so_far.cea_ng_ml,
    so_far.liver_background,
    so_far.child_pugh,
    so_far.flr_percent,
    so_far.flr_ml,
    so_far.tlv_ml,
    so_far.resectability,
    so_far.resectability_source,
    so_far.is_ablatable,
    so_far.planned_resection,
    so_far.ecog,
    so_far.highest_earlier_cea,
    so_far.source_file_id,
    so_far.source_row,
    coalesce(list_sort(list_distinct(so_far.contraindications)), []) as contraindications
from occasion
left join latest on occasion.occasion_id = latest.occasion_id
left join so_far
    on
        latest.patient_id = so_far.patient_id
        and latest.assessment_date = so_far.assessment_date
order by occasion.occasion_id
