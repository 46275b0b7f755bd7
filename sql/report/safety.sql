-- Decisions on patients with CRLM for which a safety rule of the headline series fired or could not be checked.
-- Grain: guideline, safety rule, finding and centre; null centre = all. A decision counts once per rule, whatever the
-- number of editions that were evaluated. Parameters: headline.
with
found as (
    select distinct
        safety_finding.decision_id,
        safety_finding.guideline,
        safety_finding.rule_id as safety_rule,
        coalesce(safety_finding.verdict, 'cannot_be_checked') as finding
    from cohort.safety_finding
    where safety_finding.guideline = $headline
)

select
    found.guideline,
    'yes' as is_crlm,
    found.safety_rule,
    found.finding,
    decision.centre_id,
    count(*) as n
from found
inner join cohort.decision on found.decision_id = decision.decision_id
inner join cohort.patient on decision.patient_id = patient.patient_id
where patient.is_crlm
group by found.guideline, found.safety_rule, found.finding, cube (decision.centre_id)
order by all
