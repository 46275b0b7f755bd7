-- Purpose: one decision with its facts.
-- Grain: decision, of those named by $decision_ids.
select decision.*
from cohort.decision as decision
where decision.decision_id in (select unnest($decision_ids))
