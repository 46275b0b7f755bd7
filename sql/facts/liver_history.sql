-- What a decision inherits from, and does with, local treatment of the liver and the drugs around it.
-- Grain: decision. Reads `decided`, `therapy_line`, `exposure`. Parameters: none.
-- Staged operations (ALPPS, two-stage) are one treatment: their second stage is no recurrence.
with treated_before as (
    select distinct decided.decision_id
    from decided
    inner join extract.procedure as earlier
        on
            decided.patient_id = earlier.patient_id
            and decided.decision_date > earlier.procedure_date
    where earlier.procedure in ('resection', 'rfa', 'mwa', 'ire', 'cryoablation', 'laser', 'hifu', 'ethanol')
),

own_procedures as (
    select
        decided.decision_id,
        decided.patient_id,
        own.procedure,
        own.procedure_date,
        own.is_major
    from decided
    inner join extract.procedure as own
        on
            decided.patient_id = own.patient_id
            and own.procedure_date between decided.decision_date and decided.window_end
    where decided.setting = 'local' and not decided.is_open
),

augmented as (
    select
        decision_id,
        min(procedure_date) as augmentation_date
    from own_procedures
    where procedure in ('pve', 'lvd', 'alpps', 'two_stage')
    group by decision_id
),

unaugmented as (
    select distinct own_procedures.decision_id
    from own_procedures
    left join augmented on own_procedures.decision_id = augmented.decision_id
    where
        own_procedures.procedure = 'resection'
        and own_procedures.is_major is distinct from false
        and coalesce(augmented.augmentation_date > own_procedures.procedure_date, true)
),

surgery as (
    select
        decision_id,
        patient_id,
        min(procedure_date) as surgery_date
    from own_procedures
    where procedure in ('resection', 'alpps', 'two_stage', 'transplantation')
    group by decision_id, patient_id
),

bevacizumab as (
    select
        surgery.decision_id,
        surgery.surgery_date - max(exposure.end_date) as interval_days,
        bool_and(coalesce(exposure.end_date <= surgery.surgery_date, false)) as has_ended
    from surgery
    inner join exposure
        on
            surgery.patient_id = exposure.patient_id
            and surgery.surgery_date >= exposure.start_date
    where exposure.inn = 'bevacizumab'
    group by surgery.decision_id, surgery.surgery_date
),

first_line as (
    select distinct decided.decision_id
    from decided
    inner join therapy_line
        on
            decided.patient_id = therapy_line.patient_id
            and decided.window_end >= therapy_line.start_date
            and decided.decision_date <= coalesce(therapy_line.end_date, decided.decision_date)
    where therapy_line.line = 1 and therapy_line.is_chemotherapy
)

select
    decided.decision_id,
    treated_before.decision_id is not null as is_liver_recurrence,
    unaugmented.decision_id is not null as is_unaugmented_major_resection,
    case when decided.setting = 'local' then first_line.decision_id is not null end as is_first_line_ongoing,
    case when bevacizumab.has_ended then bevacizumab.interval_days::integer end as bevacizumab_interval_days
from decided
left join treated_before on decided.decision_id = treated_before.decision_id
left join unaugmented on decided.decision_id = unaugmented.decision_id
left join first_line on decided.decision_id = first_line.decision_id
left join bevacizumab on decided.decision_id = bevacizumab.decision_id
order by decided.decision_id
