-- Decisions on patients with CRLM that carry a mark: judged by a superseded edition or not, by the older edition within
-- grace, without a known ECOG status, or resting on an assumed or completed date.
-- Grain: guideline, is_superseded or mark, is_judged and class; null = all; only what a rate of concordance needs.
-- Parameters: headline.
with
marked as (
    select
        verdict.guideline,
        unnest(
            list_filter(
                [
                    case when verdict.is_edition_superseded then 'superseded' else 'not_superseded' end,
                    case when verdict.is_within_grace then 'grace' end,
                    case when not decision.is_fitness_known then 'fitness_unknown' end,
                    case when decision.has_assumed_date then 'assumed_date' end,
                    case when decision.has_imputed_date then 'imputed_date' end
                ],
                lambda mark: mark is not null
            )
        ) as marking,
        case
            when
                verdict.verdict in ('not_evaluable', 'no_rule', 'out_of_scope', 'not_in_force', 'open')
                then 'no'
            else 'yes'
        end as is_judged,
        case
            when starts_with(verdict.verdict, 'concordant') then 'concordant'
            when starts_with(verdict.verdict, 'discordant') then 'discordant'
            else verdict.verdict
        end as class
    from cohort.verdict
    inner join cohort.decision on verdict.decision_id = decision.decision_id
    inner join cohort.patient on decision.patient_id = patient.patient_id
    where patient.is_crlm and verdict.guideline = $headline
)

select
    guideline,
    'yes' as is_crlm,
    case marking when 'superseded' then 'yes' when 'not_superseded' then 'no' end as is_superseded,
    case when marking not in ('superseded', 'not_superseded') then marking end as mark,
    is_judged,
    class,
    count(*) as n
from marked
group by guideline, marking, grouping sets ((), (is_judged), (is_judged, class))
having (is_judged is null or is_judged = 'yes') and (class is null or class in ('concordant', 'on_label'))
order by all
