-- The evidence of biomarkers that counts for an occasion: what was known on its facts_date. No result: the empty set.
-- Grain: occasion. Reads `occasion`, `evidence_by_day`, `plasma_by_day`. Parameters: none.
-- The day is looked up first: an as-of join of registered frames, whose size is not known, compares every pair of rows.
with latest_tissue as (
    select
        occasion.occasion_id,
        occasion.patient_id,
        max(evidence_by_day.known_date) as known_date
    from occasion
    inner join evidence_by_day
        on
            occasion.patient_id = evidence_by_day.patient_id
            and occasion.facts_date >= evidence_by_day.known_date
    group by occasion.occasion_id, occasion.patient_id
),

latest_plasma as (
    select
        occasion.occasion_id,
        occasion.patient_id,
        max(plasma_by_day.known_date) as known_date
    from occasion
    inner join plasma_by_day
        on
            occasion.patient_id = plasma_by_day.patient_id
            and occasion.facts_date >= plasma_by_day.known_date
    group by occasion.occasion_id, occasion.patient_id
)

select
    occasion.occasion_id,
    coalesce(evidence_by_day.ras, 0) as ras,
    coalesce(evidence_by_day.braf, 0) as braf,
    coalesce(evidence_by_day.repair, 0) as repair,
    coalesce(evidence_by_day.her2, 0) as her2,
    coalesce(evidence_by_day.rare, 0) as rare,
    coalesce(plasma_by_day.ras_plasma, 0) as ras_plasma,
    coalesce(evidence_by_day.has_assumed_date, false) as has_assumed_date
from occasion
left join latest_tissue on occasion.occasion_id = latest_tissue.occasion_id
left join evidence_by_day
    on
        latest_tissue.patient_id = evidence_by_day.patient_id
        and latest_tissue.known_date = evidence_by_day.known_date
left join latest_plasma on occasion.occasion_id = latest_plasma.occasion_id
left join plasma_by_day
    on
        latest_plasma.patient_id = plasma_by_day.patient_id
        and latest_plasma.known_date = plasma_by_day.known_date
order by occasion.occasion_id
