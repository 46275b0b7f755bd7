-- Purpose: a decision's facts as known at the first dose of a drug, where that was earlier.
-- Grain: drug of the decision named by $decision_id.
select class_view.*
from cohort.class_view as class_view
where class_view.decision_id = $decision_id
order by class_view.seen_for
