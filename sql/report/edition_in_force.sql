-- Decisions on patients with CRLM judged concordant or discordant by the edition in force, from the mart.
-- Grain: series, edition, is_judged and class (null = both). Parameters: none.
select
    concordance.guideline,
    concordance.edition_id,
    edition.is_rolling,
    'yes' as is_judged,
    case when starts_with(concordance.verdict, 'concordant') then 'concordant' else 'discordant' end as class,
    sum(concordance.n)::bigint as n
from mart.concordance
inner join guideline.edition on concordance.edition_id = edition.edition_id
where
    concordance.population = 'crlm'
    and concordance.centre_id is null
    and concordance.year is null
    and concordance.setting is null
    and concordance.line is null
    and edition.kind = 'recommendation'
    and (
        starts_with(concordance.verdict, 'concordant')
        or starts_with(concordance.verdict, 'discordant')
        or concordance.verdict = 'contraindicated'
    )
group by all
order by all
