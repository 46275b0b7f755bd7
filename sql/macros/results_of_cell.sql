-- title: From a cell of the report's tables of biomarkers to every source row that it rests on.
-- grain: patient and row
-- parameter: analyte: side, msi, ras, kras, kras_g12c, kras_g12d, nras, braf or her2
-- parameter: category := null: value; null = every patient of the centre and population
-- parameter: centre := null: centre_id, or its code in the report; null = all
-- parameter: population := 'crlm': crlm, metastatic or all
-- columns: of a biomarker all its results, also those in plasma and those that another overrules
-- example: from mart.results_of_cell('ras', 'mutant')
with
looked_for as (
    select
        case $analyte
            when 'ras' then ['kras', 'nras']
            when 'kras_g12c' then ['kras']
            when 'kras_g12d' then ['kras']
            when 'her2' then ['erbb2']
            when 'msi' then ['msi', 'mlh1', 'pms2', 'msh2', 'msh6']
            else [$analyte]
        end as analytes
),

found as (
    select
        result.patient_id,
        'biomarker' as table_name,
        result.source_file_id,
        result.source_row,
        concat_ws(' ', result.analyte, result.result, result.hgvs_p) as delivered
    from extract.biomarker as result
    inner join looked_for on list_contains(looked_for.analytes, result.analyte)
    union all
    select
        patient_id,
        'tumour' as table_name,
        source_file_id,
        source_row,
        topography as delivered
    from extract.tumour
    where $analyte = 'side'
)

select
    cell.patient_id,
    cell.centre_id,
    cell.category,
    found.table_name,
    found.source_file_id,
    file.file_name,
    found.source_row,
    found.delivered
from mart.patients_of_cell($analyte, $category, $centre, $population) as cell
inner join found on cell.patient_id = found.patient_id
inner join audit.source_file as file on found.source_file_id = file.source_file_id
order by cell.patient_id, found.table_name, file.file_name, found.source_row
