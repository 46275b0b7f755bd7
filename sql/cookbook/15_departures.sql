-- question: By which rules do decisions depart from ESMO?
-- for: auditor
-- columns: rule_id, rule_title, verdict, n, centres
-- means: The rule that recommended something else, or that advises against what was given. A recorded reason (trial,
--   refusal, comorbidity) makes a decision out of scope instead; it is not here.
select
    rule_id,
    rule_title,
    verdict,
    count(*) as n,
    count(distinct centre_id) as centres
from mart.judged_decision
where guideline = 'esmo' and is_crlm and is_evaluable and not is_concordant
group by rule_id, rule_title, verdict
order by n desc, rule_id asc, verdict asc
