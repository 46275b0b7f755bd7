-- The day of a patient's first biomarker report; the sample date where there is none.
-- Grain: patient with a dated result. Parameters: $as_of (date).
select
    patient_id,
    min(coalesce(report_date, sample_date)) as first_report_date
from extract.biomarker
where coalesce(report_date, sample_date) <= $as_of
group by patient_id
order by patient_id
