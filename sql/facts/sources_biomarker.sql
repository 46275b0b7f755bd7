-- The assay results that each biomarker fact rests on: those whose evidence the fact's value stands for.
-- Grain: decision, fact and row. Reads `fact_support`, `result_word`. Parameters: none.
-- Of plasma only the latest sample counts.
with resting as (
    select
        fact_support.decision_id,
        fact_support.fact,
        result_word.source_file_id,
        result_word.source_row,
        concat(
            result_word.analyte,
            ' ',
            result_word.result,
            case when result_word.is_assumed then '; date assumed: the sample date stands in' end
        ) as reason
    from fact_support
    inner join result_word
        on
            fact_support.patient_id = result_word.patient_id
            and fact_support.word = result_word.word
            and fact_support.facts_date >= result_word.known_date
    where (result_word.evidence & fact_support.mask) != 0
    qualify
        fact_support.word != 'ras_plasma'
        or result_word.drawn_date = max(result_word.drawn_date) over (
            partition by
                fact_support.decision_id,
                fact_support.fact
        )
)

select distinct
    decision_id,
    fact,
    source_file_id,
    'biomarker' as table_name,
    source_row,
    reason
from resting
order by decision_id, fact, source_file_id, source_row, reason
