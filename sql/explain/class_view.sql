-- Purpose: a decision's facts as known at the first dose of a drug, where that was earlier.
-- Grain: drug of the decisions named by $decision_ids.
select class_view.*
from cohort.class_view as class_view
where class_view.decision_id in (select unnest($decision_ids))
order by class_view.seen_for
