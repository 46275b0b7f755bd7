-- The exposures of the line that a systemic decision is about.
-- Grain: decision, fact and row. Reads `decided`, `exposure`. Parameters: none.
with own as (
    select
        decided.decision_id,
        exposure.source_file_id,
        exposure.source_row,
        exposure.role,
        unnest(
            list_filter(
                [
                    'line',
                    'treatment',
                    case when decided.intent is not null then 'intent' end,
                    case when decided.aim_source = 'intent' then 'treatment_setting' end,
                    case when decided.chemotherapy_line is not null then 'chemotherapy_line' end,
                    case
                        when exposure.inn = 'ipilimumab' and decided.ipilimumab_days is not null then 'ipilimumab_days'
                    end
                ],
                lambda fact: fact is not null
            )
        ) as fact
    from decided
    inner join exposure
        on
            decided.patient_id = exposure.patient_id
            and decided.line = exposure.line
            and decided.course = exposure.course
    where decided.setting = 'systemic'
)

select distinct
    decision_id,
    fact,
    source_file_id,
    'drug_exposure' as table_name,
    source_row,
    concat('drug of the line, role ', role) as reason
from own
order by decision_id, fact, source_file_id, source_row, reason
