-- Purpose: the verdicts on record for a decision, to hold the explanation against.
-- Grain: guideline of the decisions named by $decision_ids.
select
    verdict.decision_id,
    verdict.guideline,
    verdict.edition_id,
    verdict.verdict,
    verdict.rule_id,
    verdict.reason,
    verdict.missing_facts,
    verdict.unlocking_facts,
    verdict.would_be,
    verdict.is_within_grace,
    verdict.is_edition_superseded
from cohort.verdict as verdict
where verdict.decision_id in (select unnest($decision_ids))
order by verdict.guideline
