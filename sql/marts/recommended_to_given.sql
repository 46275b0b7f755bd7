-- Decisions from the pathway that the edition in force named to what was given, in the same terms.
-- Grain: centre, guideline, setting, line, recommended and given, with a count for each population; null line: a local
-- decision. Counts only, crlm_pipeline/marts.py rolls them up. Parameters: none.
-- Reads treatment_class (setting, is_perioperative, treatment, given), which marts.py registers.
with
decided as (
    select
        decision.decision_id,
        decision.centre_id,
        decision.setting,
        case when decision.setting = 'systemic' then decision.line end as line,
        case when decision.treatment is null then 'nothing' else treatment_class.given end as given,
        patient.is_metastatic or patient.is_crlm as is_metastatic,
        patient.is_crlm
    from cohort.decision
    inner join cohort.patient on decision.patient_id = patient.patient_id
    left join treatment_class
        on
            decision.setting = treatment_class.setting
            and decision.treatment = treatment_class.treatment
            and coalesce(decision.line = 0, false) = treatment_class.is_perioperative
),

judged as (
    select
        verdict.guideline,
        decided.centre_id,
        decided.setting,
        decided.line,
        case
            when verdict.verdict = 'not_in_force' then 'not_in_force'
            else coalesce(verdict.pathway, 'no_rule')
        end as recommended,
        case when verdict.verdict = 'open' then 'nothing_yet' else decided.given end as given,
        decided.is_metastatic,
        decided.is_crlm
    from cohort.verdict
    inner join decided on verdict.decision_id = decided.decision_id
)

select
    centre_id,
    guideline,
    setting,
    line,
    recommended,
    given,
    count(*) as n_all,
    count(*) filter (where is_metastatic) as n_metastatic,
    count(*) filter (where is_crlm) as n_crlm
from judged
group by all
