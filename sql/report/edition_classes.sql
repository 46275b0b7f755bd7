-- Decisions on patients with CRLM under two recommendation editions, from the mart, by class: concordant, discordant
-- (contraindicated too) or not judged. A what-if, whatever the day of the decision.
-- Grain: edition, other edition (null = the edition alone) and class under each. Parameters: none.
with
classed as (
    select
        edition_id,
        other_edition_id,
        case
            when starts_with(verdict, 'concordant') then 'concordant'
            when verdict = 'contraindicated' or starts_with(verdict, 'discordant') then 'discordant'
            else 'not_judged'
        end as class,
        case
            when starts_with(other_verdict, 'concordant') then 'concordant'
            when other_verdict = 'contraindicated' or starts_with(other_verdict, 'discordant') then 'discordant'
            else 'not_judged'
        end as other_class,
        n
    from mart.edition_comparison
    where population = 'crlm' and setting is null
)

select
    edition_id,
    nullif(other_edition_id, edition_id) as other_edition_id,
    class,
    case when other_edition_id != edition_id then other_class end as other_class,
    sum(n)::bigint as n
from classed
where other_edition_id >= edition_id
group by edition_id, other_edition_id, class, other_class
order by all
