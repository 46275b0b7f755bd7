-- id: P16a
-- title: Liver meeting again within 75 days of the start of conversion treatment
-- population: first lines of metastatic disease
-- denominator: first line given to make the metastases resectable (potentially resectable by the latest work-up, or
--   borderline with conversion intent; without a work-up by intent); aim unknown is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: a liver meeting after the first day of the line and within 75 days of it; death before it counts as
--   none; not evaluable while the days run, where contact was lost before, for a meeting of unknown kind, or in a
--   registry without any meeting
-- direction: up
-- target: none (CAIRO5 reviewed every two months, R24)
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

reviewed as (
    select
        conversion.decision_id,
        min(meeting.mdt_date) filter (where meeting.mdt_type in ('liver', 'both')) as liver_date,
        min(meeting.mdt_date) filter (where meeting.mdt_type is null) as untyped_date
    from conversion
    inner join extract.mdt as meeting
        on
            conversion.patient_id = meeting.patient_id
            and conversion.decision_date < meeting.mdt_date
            and meeting.mdt_date <= $as_of
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
        when reviewed.liver_date <= conversion.decision_date + 75 then true
        -- A registry without any meeting does not collect them.
        when reviewed.untyped_date <= conversion.decision_date + 75 or not exists (from extract.mdt) then null
        when conversion.death_date <= conversion.decision_date + 75 then false
        when conversion.seen_until >= conversion.decision_date + 75 then false
    end as in_numerator
from conversion
left join reviewed on conversion.decision_id = reviewed.decision_id
