-- question: How are the same decisions judged by two guidelines?
-- for: analyst
-- columns: esmo, asco, n
-- means: Every decision that both series cover with an edition in force. Off the diagonal they differ: in content, in
--   date, or in the facts that they need.
select
    esmo.verdict_class as esmo,
    asco.verdict_class as asco,
    count(*) as n
from mart.judged_decision as esmo
inner join mart.judged_decision as asco on esmo.decision_id = asco.decision_id
where
    esmo.guideline = 'esmo' and asco.guideline = 'asco' and esmo.is_crlm
    and esmo.verdict <> 'not_in_force' and asco.verdict <> 'not_in_force'
group by esmo.verdict_class, asco.verdict_class
order by n desc, esmo asc, asco asc
