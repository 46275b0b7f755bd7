-- What was known of a patient after each day that brought a result: the union of the evidence so far.
-- Grain: patient and day. Reads `result` (dated results only). Parameters: none.
with by_day as (
    select
        patient_id,
        known_date,
        bit_or(ras) as ras,
        bit_or(braf) as braf,
        bit_or(repair) as repair,
        bit_or(her2) as her2,
        bit_or(rare) as rare,
        bool_or(is_assumed) as is_assumed
    from result
    group by patient_id, known_date
),

so_far as (
    select
        patient_id,
        known_date,
        bit_or(ras) over patient_days as ras,
        bit_or(braf) over patient_days as braf,
        bit_or(repair) over patient_days as repair,
        bit_or(her2) over patient_days as her2,
        bit_or(rare) over patient_days as rare,
        bool_or(is_assumed) over patient_days as has_assumed_date
    from by_day
    window
        patient_days as (
            partition by patient_id
            order by known_date
            rows between unbounded preceding and current row
        )
)

select
    patient_id,
    known_date,
    ras,
    braf,
    repair,
    her2,
    rare,
    has_assumed_date
from so_far
order by patient_id, known_date
