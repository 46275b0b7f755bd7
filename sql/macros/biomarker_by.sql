-- title: Patients by the category of a biomarker, by any columns of a patient.
-- grain: one row per combination of values of the columns named and category; null = unknown, untested among them
-- parameter: analyte: side, msi, ras, kras, kras_g12c, kras_g12d, nras, braf or her2
-- parameter: dimensions: columns of mart.patient_profile in one text, e.g. 'centre_id' or 'year, sex'
-- parameter: population := 'crlm': crlm, metastatic or all
-- columns: category; n patients in it; n_tested with a known result; n_total all; percent of n_tested,
--   with its 95 % interval, unknown where the category is
-- example: from mart.biomarker_by('ras', 'centre_id')
with
counted as (
    select
        columns(string_split(replace($dimensions, ' ', ''), ',')),
        count(*) as n_total,
        -- A BRAF mutation at an unknown place is tested and in no category.
        count(*) filter (
            where struct_extract(profile, $analyte) is not null or ($analyte = 'braf' and profile.is_braf_tested)
        ) as n_tested,
        map_entries(histogram(coalesce(struct_extract(profile, $analyte)::varchar, ''))) as categories
    from mart.patient_profile as profile
    where mart.is_counted($population, profile.is_metastatic, profile.is_crlm)
    group by all
),

one_each as (
    select
        * exclude (categories),
        unnest(categories) as one
    from counted
)

select
    * exclude (n_total, n_tested, one),
    nullif(struct_extract(one, 'key'), '') as category,
    struct_extract(one, 'value')::bigint as n,
    n_tested,
    n_total,
    unnest(mart.share_of(case when category is not null then n end, n_tested)) as share
from one_each
order by all
