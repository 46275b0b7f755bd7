-- id: P10
-- title: Extended RAS status known before an anti-EGFR antibody
-- population: lines of therapy in which an anti-EGFR antibody was started
-- denominator: the population
-- exclusions: none
-- exceptions: none
-- numerator: result known on or before the first dose of the antibody in that line; an undated result, a test marked
--   as not recorded, or a registry without any result is not evaluable
-- direction: up
-- target: 1.00 (MIPS-451)
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the first drug of the line
-- member: decision
select
    decision.decision_id as member_id,
    decision.centre_id,
    case when not decision.is_relative_calendar then decision.antibody_start_date end as event_date,
    true as in_population,
    true as in_denominator,
    case
        when known.known_date <= decision.antibody_start_date then true
        when unsure.patient_id is null then false
    end as in_numerator
from cohort.decision
left join cohort.analyte_known as known on decision.patient_id = known.patient_id and known.analyte = 'extended_ras'
left join uncertain_test as unsure on decision.patient_id = unsure.patient_id and unsure.analyte = 'extended_ras'
where decision.antibody_start_date is not null and decision.line >= 1
