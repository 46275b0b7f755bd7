-- question: How were the decisions of each line judged by ESMO?
-- for: analyst
-- columns: line, verdict, n, n_evaluable, percent
-- means: `percent` is of `n_evaluable` for verdicts that say whether the guideline was followed, and of all decisions
--   for the others. In a column that the mart groups by, null means all; line 0 is a perioperative or adjuvant
--   course.
select
    line,
    verdict,
    n,
    n_evaluable,
    percent
from mart.concordance
where
    population = 'crlm' and guideline = 'esmo' and setting = 'systemic' and line is not null
    and centre_id is null and year is null and edition_id is null
order by line, verdict
