-- The new recommendations that applied to any decision, with their day; no counts.
-- Grain: rule of an edition. Parameters: none.
select distinct
    uptake.edition_id || ' ' || uptake.rule_id as rule,
    uptake.guideline,
    uptake.edition_id,
    uptake.rule_id,
    uptake.change_date::varchar as change_date,
    rule.title,
    case
        when exists (
            from guideline.option
            where
                option.edition_id = uptake.edition_id
                and option.rule_id = uptake.rule_id
                and option.preference = 'preferred'
        ) then 'yes' else 'no'
    end as is_preferred
from mart.uptake
inner join guideline.rule on uptake.edition_id = rule.edition_id and uptake.rule_id = rule.rule_id
order by all
