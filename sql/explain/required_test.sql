-- Purpose: the tests that the editions in force asked for at a decision.
-- Grain: guideline and test of the decisions named by $decision_ids.
select
    required.decision_id,
    required.guideline,
    required.test_id,
    required.analyte,
    required.due_date,
    required.known_date,
    required.status
from cohort.required_test as required
where required.decision_id in (select unnest($decision_ids))
order by required.guideline, required.test_id
