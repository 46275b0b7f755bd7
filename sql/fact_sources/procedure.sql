-- The local treatments that a decision consists of, or that its facts rest on.
-- Grain: decision, fact and row. Parameters: none.
with done as (
    select
        decided.decision_id,
        done.source_file_id,
        done.source_row,
        done.procedure,
        decided.setting = 'local' and done.procedure_date >= decided.decision_date as is_own,
        done.procedure_date < decided.decision_date as is_earlier,
        done.procedure in ('resection', 'alpps', 'two_stage', 'transplantation') as is_surgery,
        done.procedure in (
            'resection', 'rfa', 'mwa', 'ire', 'cryoablation', 'laser', 'hifu', 'ethanol'
        ) as removes_metastases,
        decided.is_liver_recurrence,
        decided.is_unaugmented_major_resection,
        decided.bevacizumab_interval_days
    from cohort.decision as decided
    inner join extract.procedure as done
        on
            decided.patient_id = done.patient_id
            and coalesce(decided.window_end, decided.decision_date) >= done.procedure_date
    where not decided.is_open
),

rested as (
    select
        decision_id,
        source_file_id,
        source_row,
        procedure,
        [
            case when is_own then 'treatment' end,
            case
                when is_own and procedure = 'resection' and is_unaugmented_major_resection
                    then 'is_unaugmented_major_resection'
            end,
            case
                when is_own and is_surgery and bevacizumab_interval_days is not null
                    then 'bevacizumab_interval_days'
            end,
            case when is_earlier and removes_metastases and is_liver_recurrence then 'is_liver_recurrence' end
        ] as facts
    from done
),

involved as (
    select
        decision_id,
        source_file_id,
        source_row,
        procedure,
        unnest(facts) as fact
    from rested
)

select distinct
    decision_id,
    fact,
    source_file_id,
    'procedure' as table_name,
    source_row,
    concat('local treatment: ', procedure) as reason
from involved
where fact is not null
