-- Patients by biomarker category: counts only, the intervals are added by crlm_pipeline/marts.py.
-- Grain: population, centre, year, analyte and category; a null centre or year means all of them.
-- A BRAF mutation at an unknown place is tested and in no category.
-- Reads the registered table category_vocabulary (analyte, category), so that a category nobody has counts as 0.
-- Parameters: none.
with
members as (
    select
        patient_id,
        centre_id,
        case when not is_relative_calendar then year(first_event_date) end as year,
        unnest(
            case
                when is_crlm then ['all', 'metastatic', 'crlm']
                when is_metastatic then ['all', 'metastatic']
                else ['all']
            end
        ) as population
    from cohort.patient
),

results as (
    select
        patient_id,
        unnest(
            [
                { 'analyte': 'side', 'category': side, 'is_tested': side is not null },
                { 'analyte': 'msi', 'category': msi, 'is_tested': msi is not null },
                { 'analyte': 'ras', 'category': ras, 'is_tested': ras is not null },
                { 'analyte': 'kras', 'category': kras, 'is_tested': kras is not null },
                { 'analyte': 'kras_g12c', 'category': kras_g12c::varchar, 'is_tested': kras_g12c is not null },
                { 'analyte': 'kras_g12d', 'category': kras_g12d::varchar, 'is_tested': kras_g12d is not null },
                { 'analyte': 'nras', 'category': nras, 'is_tested': nras is not null },
                { 'analyte': 'braf', 'category': braf, 'is_tested': is_braf_tested },
                { 'analyte': 'her2', 'category': her2, 'is_tested': her2 is not null }
            ]
        ) as result
    from cohort.patient_facts
),

finest as (
    select
        members.population,
        members.centre_id,
        members.year,
        results.result.analyte,
        results.result.category,
        results.result.is_tested,
        count(*) as n
    from members
    inner join results on members.patient_id = results.patient_id
    group by
        members.population,
        members.centre_id,
        members.year,
        results.result.analyte,
        results.result.category,
        results.result.is_tested
),

-- A null category is an unknown result, not "all": it is never rolled up.
rolled_up as (
    select
        population,
        centre_id,
        year,
        analyte,
        category,
        is_tested,
        sum(n)::bigint as n
    from finest
    group by population, analyte, category, is_tested, cube (centre_id, year)
    having grouping(year) = 1 or year is not null
),

totals as (
    select
        population,
        centre_id,
        year,
        analyte,
        coalesce(sum(n) filter (where is_tested), 0)::bigint as n_tested,
        sum(n)::bigint as n_total
    from rolled_up
    group by population, centre_id, year, analyte
)

select
    totals.population,
    totals.centre_id,
    totals.year::integer as year,
    totals.analyte,
    category_vocabulary.category,
    coalesce(rolled_up.n, 0) as n,
    totals.n_tested,
    totals.n_total
from totals
inner join category_vocabulary on totals.analyte = category_vocabulary.analyte
left join rolled_up
    on
        totals.population = rolled_up.population
        and totals.centre_id is not distinct from rolled_up.centre_id
        and totals.year is not distinct from rolled_up.year
        and totals.analyte = rolled_up.analyte
        and category_vocabulary.category = rolled_up.category
order by all
