-- RAS in the latest plasma sample, after each day that brought a plasma result.
-- Grain: patient and day. Reads `result` (dated results only). Parameters: none.
with plasma as (
    select
        patient_id,
        known_date,
        drawn_date,
        ras_plasma
    from result
    where ras_plasma != 0
),

latest as (
    select
        patient_id,
        known_date,
        max(max(drawn_date)) over (
            partition by patient_id
            order by known_date
        ) as latest_drawn_date
    from plasma
    group by patient_id, known_date
)

select
    latest.patient_id,
    latest.known_date,
    bit_or(plasma.ras_plasma) as ras_plasma
from latest
inner join plasma
    on
        latest.patient_id = plasma.patient_id
        and latest.latest_drawn_date = plasma.drawn_date
        and latest.known_date >= plasma.known_date
group by latest.patient_id, latest.known_date
order by latest.patient_id, latest.known_date
