-- Decisions to which a new recommendation applies, by time from its day: did they get it? Judged by the edition as it
-- stands, whatever the day of the decision, so that the time before can be seen as well; a what-if for that time.
-- Grain: edition, rule, centre and period of 13 weeks from the change, with counts for each population; counts only,
-- crlm_pipeline/marts.py rolls them up and adds the intervals. Out of scope, open and undated (relative calendar)
-- decisions are left out. Parameters: none.
-- A recommendation is new on its own day, else on the first day of its edition, if the edition before held no such
-- rule or preferred other options. Without a preferred option, the alternatives are what is recommended.
with
editions as (
    select
        edition_id,
        guideline,
        from_date,
        lag(edition_id) over (partition by guideline order by from_date) as edition_before
    from guideline.edition
    where kind = 'recommendation'
),

best_options as (
    select
        edition_id,
        rule_id,
        preference,
        list(treatment order by treatment) as treatments
    from guideline.option
    where preference in ('preferred', 'alternative')
    group by edition_id, rule_id, preference
    qualify row_number() over (partition by edition_id, rule_id order by preference desc) = 1
),

changes as materialized (
    select
        row_number() over (order by best_options.edition_id, best_options.rule_id) as change_no,
        editions.guideline,
        best_options.edition_id,
        best_options.rule_id,
        best_options.preference,
        coalesce(rule.from_date, editions.from_date) as change_date
    from best_options
    inner join editions on best_options.edition_id = editions.edition_id
    inner join guideline.rule
        on best_options.edition_id = rule.edition_id and best_options.rule_id = rule.rule_id
    left join best_options as earlier
        on
            editions.edition_before = earlier.edition_id
            and best_options.rule_id = earlier.rule_id
            and best_options.preference = earlier.preference
            and best_options.treatments = earlier.treatments
    where earlier.rule_id is null and coalesce(rule.from_date, editions.from_date) is not null
),

members as (
    select
        what_if_no,
        edition_id,
        verdict,
        rule_id as deciding_rule_id,
        unnest(due_rules) as rule_id,
        true as is_certain
    from cohort.what_if_outcome
    union all
    select
        what_if_no,
        edition_id,
        verdict,
        rule_id as deciding_rule_id,
        unnest(possible_rules) as rule_id,
        false as is_certain
    from cohort.what_if_outcome
),

-- Many decisions are alike: what they are due is asked once for all of them.
answered as (
    select
        members.what_if_no,
        changes.change_no,
        changes.change_date,
        case
            when not members.is_certain or members.verdict = 'not_evaluable' then 'unknown'
            when members.verdict = 'concordant_' || changes.preference and members.deciding_rule_id = members.rule_id
                then 'given'
            else 'not_given'
        end as answer
    from members
    inner join changes
        on members.edition_id = changes.edition_id and members.rule_id = changes.rule_id
    where members.verdict not in ('out_of_scope', 'open')
),

decided as materialized (
    select
        what_if.what_if_no,
        decision.centre_id,
        decision.decision_date,
        patient.is_metastatic or patient.is_crlm as is_metastatic,
        patient.is_crlm
    from cohort.what_if
    inner join cohort.decision on what_if.decision_id = decision.decision_id
    inner join cohort.patient on decision.patient_id = patient.patient_id
    where not decision.is_relative_calendar
),

counted as (
    select
        answered.change_no,
        decided.centre_id,
        floor((decided.decision_date - answered.change_date) / 91)::integer as period,
        count(*) filter (where answer != 'unknown') as n_due_all,
        count(*) filter (where answer = 'given') as n_given_all,
        count(*) filter (where answer = 'unknown') as n_unknown_all,
        count(*) filter (where answer != 'unknown' and is_metastatic) as n_due_metastatic,
        count(*) filter (where answer = 'given' and is_metastatic) as n_given_metastatic,
        count(*) filter (where answer = 'unknown' and is_metastatic) as n_unknown_metastatic,
        count(*) filter (where answer != 'unknown' and is_crlm) as n_due_crlm,
        count(*) filter (where answer = 'given' and is_crlm) as n_given_crlm,
        count(*) filter (where answer = 'unknown' and is_crlm) as n_unknown_crlm
    from answered
    inner join decided on answered.what_if_no = decided.what_if_no
    group by answered.change_no, decided.centre_id, period
)

select
    changes.guideline,
    changes.edition_id,
    changes.rule_id,
    changes.change_date,
    counted.* exclude (change_no)
from counted
inner join changes on counted.change_no = changes.change_no
