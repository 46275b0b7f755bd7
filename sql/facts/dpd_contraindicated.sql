-- The first day on which a deficiency of DPD stood among the contraindications: its activity was then known.
-- Grain: patient with such a contraindication. Parameters: $as_of (date).
select
    patient_id,
    min(assessment_date) as known_date
from extract.assessment
where
    assessment_date <= $as_of
    and list_has_any(contraindications, ['dpd_partial', 'dpd_complete'])
group by patient_id
order by patient_id
