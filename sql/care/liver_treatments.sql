-- The days on which liver metastases were resected or ablated.
-- Grain: patient and day. Parameters: $as_of (date).
-- Resection: also two-stage hepatectomy and ALPPS. Ablation: thermal techniques, irreversible electroporation, ethanol;
-- not radiotherapy, radioembolisation, arterial infusion or transplantation.
with
treated as (
    select
        patient_id,
        procedure_date,
        centre_id,
        procedure in ('resection', 'two_stage', 'alpps') as is_resection,
        procedure in ('rfa', 'mwa', 'ire', 'cryoablation', 'laser', 'hifu', 'ethanol') as is_ablation
    from extract.procedure
    where procedure_date <= $as_of
)

select
    treated.patient_id,
    treated.procedure_date,
    coalesce(min(treated.centre_id), min(patient.centre_id)) as centre_id,
    bool_or(treated.is_resection) as is_resection,
    bool_or(treated.is_ablation) as is_ablation
from treated
inner join extract.patient as patient on treated.patient_id = patient.patient_id
where treated.is_resection or treated.is_ablation
group by treated.patient_id, treated.procedure_date
