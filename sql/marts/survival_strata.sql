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
    select guideline
    from guideline.edition
    where kind = 'recommendation'
),

-- Many decisions are alike: what is held out is told once for each state of knowledge.
held_out as (
    select
        held.state_no,
        held.edition_id,
        count(rule.pathway) > 0 as has_pathway,
        min(rule.pathway) filter (where held.certainty = 'definite') as first_definite,
        max(rule.pathway) filter (where held.certainty = 'definite') as last_definite
    from cohort.state_option as held
    left join guideline.rule as rule on held.edition_id = rule.edition_id and held.rule_id = rule.rule_id
    group by held.state_no, held.edition_id
),

recommended as (
    select
        judged.decision_id,
        judged.known_day,
        judged.guideline,
        judged.edition_id,
        coalesce(bool_or(held_out.has_pathway), false) as has_pathway,
        min(held_out.first_definite) as first_definite,
        max(held_out.last_definite) as last_definite
    from judged
    semi join recommending on judged.guideline = recommending.guideline
    left join cohort.edition_state as found
        on judged.decision_id = found.decision_id and judged.edition_id = found.edition_id
    left join held_out on found.state_no = held_out.state_no and found.edition_id = held_out.edition_id
    group by judged.decision_id, judged.known_day, judged.guideline, judged.edition_id
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
        when edition_id is null then 'not_in_force'
        when not has_pathway then 'no_rule'
        when first_definite = last_definite then first_definite
        else 'test_first'
    end as stratum
from recommended
