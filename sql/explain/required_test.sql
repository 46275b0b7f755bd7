-- Purpose: the tests that the editions in force asked for at a decision.
-- Grain: guideline and test of the decision named by $decision_id.
select
    required.guideline,
    required.test_id,
    required.analyte,
    required.due_date,
    required.known_date,
    required.status
from cohort.required_test as required
where required.decision_id = $decision_id
order by required.guideline, required.test_id
