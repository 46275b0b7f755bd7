-- title: The patients that a cell of the report's tables of biomarkers counts.
-- grain: patient
-- parameter: analyte: side, msi, ras, kras, kras_g12c, kras_g12d, nras, braf or her2
-- parameter: category := null: value; null = every patient of the centre and population
-- parameter: centre := null: centre_id, or its code in the report; null = all
-- parameter: population := 'crlm': crlm, metastatic or all
-- example: from mart.patients_of_cell('ras', 'mutant')
select
    profile.patient_id,
    profile.centre_id,
    struct_extract(profile, $analyte)::varchar as category
from mart.patient_profile as profile
where
    ($category is null or struct_extract(profile, $analyte)::varchar = $category)
    and ($centre is null or profile.centre_id = $centre or profile.centre_code = $centre)
    and mart.is_counted($population, profile.is_metastatic, profile.is_crlm)
order by profile.patient_id
