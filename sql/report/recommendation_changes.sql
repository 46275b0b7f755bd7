-- The new recommendations that applied to any decision, with their day; no counts.
-- Grain: rule of an edition. Parameters: none.
select distinct
    uptake.edition_id || ' ' || uptake.rule_id as rule,
    uptake.guideline,
    uptake.edition_id,
    uptake.rule_id,
    uptake.change_date::varchar as change_date,
    rule.title
from mart.uptake
inner join guideline.rule on uptake.edition_id = rule.edition_id and uptake.rule_id = rule.rule_id
order by all
