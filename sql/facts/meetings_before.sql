-- The meetings before a decision: the latest liver MDT, the latest reason to deviate, and whether it is a trial.
-- Grain: decision with a meeting. Reads `decided`. Parameters: $mdt_days, $deviation_days.
with met as (
    select
        decided.decision_id,
        meeting.mdt_date,
        meeting.trial_id,
        meeting.mdt_type in ('liver', 'both') and meeting.mdt_date >= decided.decision_date - $mdt_days as is_liver_mdt,
        case
            when meeting.mdt_date >= decided.decision_date - $deviation_days then meeting.deviation_reason
        end as deviation_reason
    from decided
    inner join extract.mdt as meeting
        on
            decided.patient_id = meeting.patient_id
            and decided.decision_date >= meeting.mdt_date
    where meeting.mdt_date >= decided.decision_date - greatest($mdt_days, $deviation_days)
)

select
    decision_id,
    max(mdt_date) filter (where is_liver_mdt) as mdt_date,
    arg_max(deviation_reason, (mdt_date, deviation_reason)) as deviation_reason,
    coalesce(bool_or(deviation_reason = 'trial'), false) as chose_trial,
    arg_max(trial_id, (mdt_date, trial_id)) filter (where deviation_reason = 'trial') as mdt_trial_id
from met
group by decision_id
order by decision_id
