-- question: What did a change of edition do to the decisions within its grace period?
-- for: analyst
-- columns: older, older_verdict, newer, newer_verdict, n
-- means: For `grace_days` after a change a decision is judged by both editions and the kinder verdict is kept. These
--   are the decisions that had two.
select
    older.edition_id as older,
    older.verdict as older_verdict,
    newer.edition_id as newer,
    newer.verdict as newer_verdict,
    count(*) as n
from cohort.edition_verdict as older
inner join cohort.edition_verdict as newer
    on older.decision_id = newer.decision_id and older.guideline = newer.guideline
where older.is_older and not newer.is_older and older.guideline = 'esmo'
group by all
order by n desc, older_verdict asc, newer_verdict asc
