-- The evidence of biomarkers that counts for an occasion: what was known on its facts_date. No result: the empty set.
-- Grain: occasion. Reads `occasion`, `evidence_by_day`, `plasma_by_day`. Parameters: none.
with tissue as (
    select
        occasion.occasion_id,
        occasion.patient_id,
        occasion.facts_date,
        evidence_by_day.ras,
        evidence_by_day.braf,
        evidence_by_day.repair,
        evidence_by_day.her2,
        evidence_by_day.rare,
        evidence_by_day.has_assumed_date
    from occasion
    asof left join evidence_by_day
        on
            occasion.patient_id = evidence_by_day.patient_id
            and occasion.facts_date >= evidence_by_day.known_date
)

select
    tissue.occasion_id,
    coalesce(tissue.ras, 0) as ras,
    coalesce(tissue.braf, 0) as braf,
    coalesce(tissue.repair, 0) as repair,
    coalesce(tissue.her2, 0) as her2,
    coalesce(tissue.rare, 0) as rare,
    coalesce(plasma_by_day.ras_plasma, 0) as ras_plasma,
    coalesce(tissue.has_assumed_date, false) as has_assumed_date
from tissue
asof left join plasma_by_day
    on
        tissue.patient_id = plasma_by_day.patient_id
        and tissue.facts_date >= plasma_by_day.known_date
order by tissue.occasion_id
