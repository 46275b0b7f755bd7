-- Purpose: the decisions judged by the guideline $guideline, for the restricted list.
-- Grain: decision that an edition of the guideline judged.
select
    verdict.decision_id,
    decision.centre_id,
    decision.decision_date,
    coalesce(decision.regimen_name, decision.treatment) as given,
    verdict.verdict,
    verdict.rule_id
from cohort.verdict as verdict
inner join cohort.decision as decision on verdict.decision_id = decision.decision_id
where verdict.guideline = $guideline and verdict.verdict <> 'not_in_force'
order by decision.centre_id, verdict.verdict, verdict.decision_id
