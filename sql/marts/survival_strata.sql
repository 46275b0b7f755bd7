-- What each series recommended for the first line, and whether it was followed.
-- Grain: first-line decision, series and exposure (recommended_pathway, verdict). `known_day`: days from the start of
-- the line to the last day on which a result or a drug still counted. Where missing facts leave the pathway or all
-- of its options open, it is test_first. Parameters: none.
with
first_lines as (
    select
        decision_id,
        facts_date - decision_date as known_day
    from cohort.decision
    where setting = 'systemic' and line = 1 and treatment is not null
),

judged as (
    select
        first_lines.decision_id,
        first_lines.known_day,
        verdict.guideline,
        verdict.edition_id,
        case
            when starts_with(verdict.verdict, 'concordant') then 'concordant'
            when starts_with(verdict.verdict, 'discordant') then 'discordant'
            else verdict.verdict
        end as class
    from first_lines
    inner join cohort.verdict on first_lines.decision_id = verdict.decision_id
),

recommending as (
    select distinct guideline
    from guideline.edition
    where kind = 'recommendation'
),

held_out as (
    select distinct
        judged.decision_id,
        judged.known_day,
        judged.guideline,
        judged.edition_id,
        rule.pathway,
        held.certainty
    from judged
    inner join recommending on judged.guideline = recommending.guideline
    left join cohort.edition_state as found
        on judged.decision_id = found.decision_id and judged.edition_id = found.edition_id
    left join cohort.state_option as held
        on found.state_no = held.state_no and found.edition_id = held.edition_id
    left join guideline.rule as rule on held.edition_id = rule.edition_id and held.rule_id = rule.rule_id
)

select
    decision_id,
    known_day,
    guideline,
    'verdict' as exposure,
    class as stratum
from judged
union all
select
    decision_id,
    known_day,
    guideline,
    'recommended_pathway' as exposure,
    case
        when count(edition_id) = 0 then 'not_in_force'
        when count(pathway) = 0 then 'no_rule'
        when count(distinct pathway) filter (where certainty = 'definite') = 1
            then min(pathway) filter (where certainty = 'definite')
        else 'test_first'
    end as stratum
from held_out
group by decision_id, known_day, guideline
order by all
