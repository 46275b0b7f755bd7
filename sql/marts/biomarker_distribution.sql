-- Patients by biomarker category: counts only, the intervals are added by crlm_pipeline/marts.py.
-- Grain: population, centre, year, analyte and category; a null centre or year means all of them.
-- A BRAF mutation at an unknown place is tested and in no category.
-- Reads the registered table category_vocabulary (analyte, category), so that a category nobody has counts as 0.
-- Parameters: none.
with
members as (
    select
        patient.centre_id,
        case when not patient.is_relative_calendar then year(patient.first_event_date) end as year,
        patient.is_metastatic,
        patient.is_crlm,
        facts.* exclude (patient_id)
    from cohort.patient
    inner join cohort.patient_facts as facts on patient.patient_id = facts.patient_id
),

-- Each analyte is counted by itself: a patient is not taken apart into a row for each.
finest as (
    select
        centre_id,
        year,
        is_metastatic,
        is_crlm,
        case
            when grouping(side) = 0 then 'side'
            when grouping(msi) = 0 then 'msi'
            when grouping(ras) = 0 then 'ras'
            when grouping(kras) = 0 then 'kras'
            when grouping(kras_g12c) = 0 then 'kras_g12c'
            when grouping(kras_g12d) = 0 then 'kras_g12d'
            when grouping(nras) = 0 then 'nras'
            when grouping(is_braf_tested) = 0 then 'braf'
            when grouping(her2) = 0 then 'her2'
        end as analyte,
        -- All but one are null.
        coalesce(side, msi, ras, kras, kras_g12c::varchar, kras_g12d::varchar, nras, braf, her2) as category,
        coalesce(is_braf_tested, category is not null) as is_tested,
        count(*) as n
    from members
    group by
        grouping sets (
            (centre_id, year, is_metastatic, is_crlm, side),
            (centre_id, year, is_metastatic, is_crlm, msi),
            (centre_id, year, is_metastatic, is_crlm, ras),
            (centre_id, year, is_metastatic, is_crlm, kras),
            (centre_id, year, is_metastatic, is_crlm, kras_g12c),
            (centre_id, year, is_metastatic, is_crlm, kras_g12d),
            (centre_id, year, is_metastatic, is_crlm, nras),
            (centre_id, year, is_metastatic, is_crlm, braf, is_braf_tested),
            (centre_id, year, is_metastatic, is_crlm, her2)
        )
),

by_population as (
    select
        * exclude (is_metastatic, is_crlm),
        unnest(
            case
                when is_crlm then ['all', 'metastatic', 'crlm']
                when is_metastatic then ['all', 'metastatic']
                else ['all']
            end
        ) as population
    from finest
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
    from by_population
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
