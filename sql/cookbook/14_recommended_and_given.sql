-- question: Which pathway was recommended in the first line, and what was given?
-- for: analyst
-- columns: pathway, given, n
-- means: The pathway of the rule that decided, and the regimen by its name, else its substances. Only decisions that
--   could be judged.
select
    pathway,
    coalesce(regimen_name, treatment) as given,
    count(*) as n
from mart.judged_decision
where guideline = 'esmo' and is_crlm and setting = 'systemic' and line = 1 and is_evaluable
group by pathway, given
order by n desc, pathway asc, given asc
