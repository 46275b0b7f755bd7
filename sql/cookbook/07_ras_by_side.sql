-- question: How often is RAS mutated on each side?
-- for: analyst
-- columns: side, category, n, n_tested, n_total, percent, ci_low, ci_high
-- means: Patients, by all tissue results known at the as-of date. `percent` is of those tested; the line with an
--   unknown category holds the untested.
from mart.biomarker_by('ras', 'side')
