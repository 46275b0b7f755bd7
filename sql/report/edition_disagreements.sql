-- Decisions on patients with CRLM that one recommendation edition calls concordant and another discordant, by the rule
-- of the second that they departed from. A what-if, whatever the day of the decision.
-- Grain: edition, other edition and rule. Parameters: none.
select
    one.edition_id,
    other.edition_id as other_edition_id,
    coalesce(other.rule_id, 'no rule named') as departed,
    count(*) as n
from cohort.what_if
inner join cohort.decision on what_if.decision_id = decision.decision_id
inner join cohort.patient on decision.patient_id = patient.patient_id
inner join cohort.what_if_outcome as one on what_if.what_if_no = one.what_if_no
inner join cohort.what_if_outcome as other on what_if.what_if_no = other.what_if_no
where
    patient.is_crlm
    and starts_with(one.verdict, 'concordant')
    and (other.verdict = 'contraindicated' or starts_with(other.verdict, 'discordant'))
group by all
order by all
