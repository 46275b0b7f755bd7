-- The assay results that each biomarker fact rests on: those that speak for its value; of plasma the latest sample.
-- Grain: decision, fact and row.
-- Parameters: $facts (by place of a bit of `speaks_for`), $value_bits (the bits of the values that the decision's facts
-- have), $of_plasma (the bits that speak of plasma).
with speaking as (
    select
        decided.decision_id,
        result.drawn_date,
        result.source_file_id,
        result.source_row,
        result.reason,
        result.speaks_for & ($value_bits) as bits
    from cohort.decision as decided
    inner join cohort.result_support as result
        on
            decided.patient_id = result.patient_id
            and decided.facts_date >= result.known_date
),

dated as (
    select
        decision_id,
        source_file_id,
        source_row,
        reason,
        bits,
        case when (bits & $of_plasma) != 0 then drawn_date end as plasma_date
    from speaking
    where bits != 0
),

counted as (
    select
        decision_id,
        source_file_id,
        source_row,
        reason,
        case
            when plasma_date = max(plasma_date) over (partition by decision_id) then bits
            else bits & ~$of_plasma
        end as bits
    from dated
),

resting as (
    select
        decision_id,
        source_file_id,
        source_row,
        reason,
        bit_or(bits) as bits
    from counted
    group by decision_id, source_file_id, source_row, reason
),

named as (
    select
        unnest($facts) as fact,
        unnest(range(len($facts))) as place
)

select
    resting.decision_id,
    named.fact,
    resting.source_file_id,
    'biomarker' as table_name,
    resting.source_row,
    resting.reason
from resting
inner join named on (resting.bits >> named.place) & 1 = 1
