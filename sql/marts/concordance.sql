-- Decisions by verdict: counts only, crlm_pipeline/marts.py rolls them up and adds the intervals.
-- Grain: centre, year, guideline, edition, setting, line and verdict, with a count for each population; edition, line
-- and (on a relative calendar) year may be unknown. The centre is the one that decided; only verdicts that occur have a
-- row. Parameters: none.
select
    decision.centre_id,
    (case when not decision.is_relative_calendar then year(decision.decision_date) end)::integer as year,
    verdict.guideline,
    verdict.edition_id,
    decision.setting,
    decision.line,
    verdict.verdict,
    count(*) as n_all,
    count(*) filter (where patient.is_metastatic or patient.is_crlm) as n_metastatic,
    count(*) filter (where patient.is_crlm) as n_crlm
from cohort.verdict
inner join cohort.decision on verdict.decision_id = decision.decision_id
inner join cohort.patient on decision.patient_id = patient.patient_id
group by all
