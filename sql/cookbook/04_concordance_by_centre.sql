-- question: How far did each centre follow ESMO, and how far could the missing facts move that?
-- for: auditor
-- columns: centre_id, n_total, n_evaluable, n_concordant, n_not_evaluable, percent, ci_low, ci_high, percent_worst,
--   percent_best
-- means: `percent` is of the decisions that could be judged, with its Wilson 95 % interval. `percent_worst` and
--   `percent_best` count every decision that a missing fact leaves open against and in favour. Centres differ in
--   their patients: this is no ranking.
from mart.concordance_by('centre_id')
