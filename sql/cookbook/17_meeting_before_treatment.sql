-- question: How many first-line decisions were discussed at a liver meeting before?
-- for: auditor
-- columns: centre_id, n, n_discussed, percent, ci_low, ci_high
-- means: A liver MDT in the 60 days before the decision. A meeting that was not recorded looks like one that did not
--   take place: see question 21 for whether the centre delivers meetings at all.
select
    decision.centre_id,
    count(*) as n,
    count(decision.mdt_date) as n_discussed,
    unnest(mart.share_of(count(decision.mdt_date), count(*))) as share
from cohort.decision
inner join cohort.patient on decision.patient_id = patient.patient_id
where decision.setting = 'systemic' and decision.line = 1 and not decision.is_open and patient.is_crlm
group by decision.centre_id
order by decision.centre_id
