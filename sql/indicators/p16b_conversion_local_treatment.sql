-- id: P16b
-- title: Resection or ablation within 12 months of the start of conversion treatment
-- population: first lines of metastatic disease
-- denominator: first line given to make the metastases resectable (potentially resectable by the latest work-up, or
--   borderline with conversion intent; without a work-up by intent); aim unknown is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: resection or ablation, as in P14, after the first day of the line and within 12 months of it (our
--   reading: the source gives no period); death before it counts as none; not evaluable while the months run, where
--   contact was lost before, or in a registry without any local treatment
-- direction: up
-- target: none
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that started the first line
-- member: decision
-- parameters: as_of
with
conversion as (
    select
        line.patient_id,
        line.decision_id,
        line.centre_id,
        line.event_date,
        line.decision_date,
        line.treatment_setting = 'conversion' as is_meant,
        follow_up.death_date,
        coalesce(follow_up.seen_until, $as_of) as seen_until
    from treatment_line as line
    inner join follow_up on line.patient_id = follow_up.patient_id
    where line.line = 1
),

treated as (
    select
        conversion.decision_id,
        min(liver_treatment.procedure_date) as procedure_date
    from conversion
    inner join liver_treatment
        on
            conversion.patient_id = liver_treatment.patient_id
            and conversion.decision_date < liver_treatment.procedure_date
    group by conversion.decision_id
)

select
    conversion.decision_id as member_id,
    conversion.centre_id,
    conversion.event_date,
    true as in_population,
    conversion.is_meant as in_denominator,
    case
        when not coalesce(conversion.is_meant, false) then null
        when treated.procedure_date <= conversion.decision_date + interval 12 months then true
        -- A registry without any local treatment does not collect them.
        when not exists (from extract.procedure) then null
        when conversion.death_date <= conversion.decision_date + interval 12 months then false
        when conversion.seen_until >= conversion.decision_date + interval 12 months then false
    end as in_numerator
from conversion
left join treated on conversion.decision_id = treated.decision_id
