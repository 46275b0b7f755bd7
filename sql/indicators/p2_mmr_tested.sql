-- id: P2
-- title: Mismatch repair or microsatellite status known before systemic treatment
-- population: every accepted patient with colorectal cancer
-- denominator: the population
-- exclusions: none
-- exceptions: none
-- numerator: result known by the first day of the first systemic line, or at all where metastatic disease had none; an
--   undated result, a test marked as not recorded, or a registry without any result is not evaluable
-- direction: up
-- target: 1.00 (crlm_editorial item 34: every patient)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre that reports the patient
-- member: patient
with
first_line as (
    select
        patient_id,
        min(start_date) as start_date
    from cohort.line_of_therapy
    where line >= 1
    group by patient_id
)

select
    patient.patient_id as member_id,
    patient.centre_id,
    case when not patient.is_relative_calendar then patient.first_event_date end as event_date,
    true as in_population,
    true as in_denominator,
    case
        when
            known.known_date is not null
            and (
                not patient.is_metastatic
                or first_line.start_date is null
                or known.known_date <= first_line.start_date
            )
            then true
        when unsure.patient_id is null then false
    end as in_numerator
from cohort.patient
left join first_line on patient.patient_id = first_line.patient_id
left join cohort.analyte_known as known on patient.patient_id = known.patient_id and known.analyte = 'msi'
left join uncertain_test as unsure on patient.patient_id = unsure.patient_id and unsure.analyte = 'msi'
