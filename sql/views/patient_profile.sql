-- Purpose: every accepted patient with side, biomarkers and the size of the record.
-- Grain: accepted patient. Parameters: none.
create view mart.patient_profile as
with
decisions as (
    select
        patient_id,
        count(*) as n_decisions
    from cohort.decision
    group by patient_id
),

lines as (
    select
        patient_id,
        count(*) as n_lines
    from cohort.line_of_therapy
    where line > 0
    group by patient_id
)

select
    patient.*,
    (case when not patient.is_relative_calendar then year(patient.first_event_date) end)::integer as year,
    report_key.code as centre_code,
    delivered.birth_year,
    delivered.sex,
    facts.side,
    facts.msi,
    facts.ras,
    facts.kras,
    facts.nras,
    facts.kras_g12c,
    facts.kras_g12d,
    facts.braf,
    facts.is_braf_tested,
    facts.her2,
    coalesce(decisions.n_decisions, 0) as n_decisions,
    coalesce(lines.n_lines, 0) as n_lines
from cohort.patient
inner join extract.patient as delivered on patient.patient_id = delivered.patient_id
inner join cohort.patient_facts as facts on patient.patient_id = facts.patient_id
inner join audit.report_key on patient.centre_id = report_key.centre_id
left join decisions on patient.patient_id = decisions.patient_id
left join lines on patient.patient_id = lines.patient_id
