-- id: P3
-- title: Extended RAS status known in time for first-line treatment
-- population: patients with metastatic disease who started a first line
-- denominator: the population, without those whose 42 days have not passed at the as-of date and who have no result yet
-- exclusions: none
-- exceptions: none
-- numerator: result known by the first dose of an anti-EGFR antibody in that line, or without one within 42 days of its
--   first day
-- direction: up
-- target: 0.90 (clinical.md section 4, P3)
-- minimum size: 10
-- display: funnel
-- centre: the centre that started the first line
-- member: patient
-- parameters: as_of
with
first_line as (
    select
        decision.patient_id,
        decision.centre_id,
        decision.decision_date,
        decision.is_relative_calendar,
        decision.antibody_start_date,
        coalesce(decision.antibody_start_date, decision.decision_date + 42) as due_date
    from cohort.decision
    inner join cohort.patient on decision.patient_id = patient.patient_id
    where decision.setting = 'systemic' and decision.line = 1 and not decision.is_open and patient.is_metastatic
)

select
    first_line.patient_id as member_id,
    first_line.centre_id,
    case when not first_line.is_relative_calendar then first_line.decision_date end as event_date,
    true as in_population,
    true as in_denominator,
    case
        when known.known_date <= first_line.due_date then true
        when known.known_date is not null or first_line.due_date <= $as_of then false
    end as in_numerator
from first_line
left join cohort.analyte_known as known on first_line.patient_id = known.patient_id and known.analyte = 'extended_ras'
order by member_id
