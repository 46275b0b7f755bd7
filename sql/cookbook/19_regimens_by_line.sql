-- question: Which regimens are given in each line?
-- for: analyst
-- columns: line, regimen, n, percent
-- means: Lines as the registry counted them, else as derived from the drugs (`line_source`). `percent` is of the
--   lines with that number.
select
    line,
    coalesce(regimen_name, regimen) as regimen,
    count(*) as n,
    round(100.0 * count(*) / sum(count(*)) over (partition by line), 1) as percent
from cohort.line_of_therapy
where line between 1 and 3
group by line, coalesce(regimen_name, regimen)
qualify row_number() over (partition by line order by count(*) desc, coalesce(regimen_name, regimen)) <= 3
order by line asc, n desc, regimen asc
