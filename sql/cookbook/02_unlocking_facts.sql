-- question: Which missing result would settle most open verdicts?
-- for: analyst
-- columns: fact, decisions
-- means: For each verdict that is not evaluable, `unlocking_facts` is a smallest set of unknown facts that would
--   decide it. A decision with two such facts counts under both.
select
    missing.fact,
    count(*) as decisions
from (select unnest(unlocking_facts) as fact from cohort.verdict where guideline = 'esmo') as missing
group by missing.fact
order by decisions desc, missing.fact asc
