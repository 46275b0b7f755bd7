-- Purpose: one decision with its facts.
-- Grain: the decision named by $decision_id.
select decision.*
from cohort.decision as decision
where decision.decision_id = $decision_id
