-- question: How many verdicts rest on rules that no clinician has signed or that were not checked against the source?
-- for: auditor
-- columns: guideline, edition_id, is_edition_signed, state, verdicts
-- means: `state` is that of the rule: verified means that its source was read. Until the edition is signed, centres
--   stand under codes in the report.
select
    judged.guideline,
    judged.edition_id,
    judged.is_edition_signed,
    rule.state,
    count(*) as verdicts
from mart.judged_decision as judged
inner join guideline.rule on judged.edition_id = rule.edition_id and judged.rule_id = rule.rule_id
group by all
order by judged.guideline, judged.edition_id, rule.state
