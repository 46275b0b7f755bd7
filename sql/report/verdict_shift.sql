-- Which verdicts are given more or less often than in the last published run, of all centres together, and by what.
-- Grain: guideline, setting and verdict; no count and no share leaves this statement but as more, fewer or none.
-- Parameters: threshold, the smallest count of which anything is told.
select
    guideline,
    setting,
    verdict,
    run_id_before,
    differs,
    coalesce(is_beyond, false) as is_beyond,
    list_aggregate(
        list_transform(
            [n, n_total - n, n_before, n_total_before - n_before], lambda count: count = 0 or count >= $threshold
        ),
        'bool_and'
    ) as is_told,
    case when share > share_before then 'more' when share < share_before then 'fewer' else 'none' end as moved,
    case when round(part_data, 9) > 0 then 'more' when round(part_data, 9) < 0 then 'fewer' else 'none' end as by_data,
    case
        when round(part_edition, 9) > 0 then 'more' when round(part_edition, 9) < 0 then 'fewer' else 'none'
    end as by_edition,
    case when round(part_code, 9) > 0 then 'more' when round(part_code, 9) < 0 then 'fewer' else 'none' end as by_code
from audit.verdict_shift
where centre_id is null
order by guideline, setting, verdict
