-- The most recent RAS result of each patient in tissue: which day, and whether it holds a mutation.
-- Grain: patient with a KRAS or NRAS result. Parameters: $as_of (date).
-- Undated results stand beside the latest dated ones: where they differ it is unknown what the most recent one says.
-- Codons: those of the protein change, else the region tested where it holds no others; else unknown.
with
reported as (
    select
        patient_id,
        analyte,
        result,
        region_tested,
        coalesce(report_date, sample_date) as test_date,
        ends_with(hgvs_p, '=') as is_silent,
        -- An insertion or deletion touches every codon from the first to the last. A change may name none, as p.? does.
        try_cast(regexp_extract(hgvs_p, '([0-9]+)', 1) as integer) as first_codon,
        try_cast(regexp_extract(hgvs_p, '_[A-Za-z]*([0-9]+)', 1) as integer) as last_codon
    from extract.biomarker
    where
        analyte in ('kras', 'nras')
        and result in ('mutated', 'not_detected')
        and specimen_site is distinct from 'plasma'
        and coalesce(report_date, sample_date, $as_of) <= $as_of
),

assay as (
    select
        patient_id,
        test_date,
        result = 'mutated' as is_mutated,
        case
            when result = 'not_detected' or is_silent then false
            when first_codon is not null
                then list_bool_or(
                    [
                        codon between first_codon and coalesce(last_codon, first_codon)
                        for codon in [12, 13, 59, 61, 117, 146]
                    ]
                )
            else true
        end as is_hotspot,
        case
            when result = 'not_detected' or analyte = 'nras' or is_silent then false
            when first_codon is not null then first_codon <= 13 and coalesce(last_codon, first_codon) >= 12
            when list_has_all(['12', '13', 'exon2'], region_tested) then true
        end as is_kras_12_13
    from reported
),

latest as (
    select
        patient_id,
        max(test_date) as test_date
    from assay
    group by patient_id
),

recent as (
    select
        latest.patient_id,
        latest.test_date,
        bool_or(assay.is_mutated and assay.is_hotspot) filter (where assay.test_date is not null) as dated,
        bool_or(assay.is_mutated and assay.is_hotspot) filter (where assay.test_date is null) as undated,
        bool_or(assay.is_kras_12_13) as is_kras_12_13,
        count(*) filter (where assay.is_kras_12_13 is null) as n_codon_unknown
    from latest
    inner join assay
        on
            latest.patient_id = assay.patient_id
            and (latest.test_date = assay.test_date or assay.test_date is null)
    group by latest.patient_id, latest.test_date
)

select
    patient_id,
    test_date,
    case when coalesce(dated = undated, true) then coalesce(dated, undated) end as is_mutant,
    case when is_kras_12_13 or n_codon_unknown = 0 then is_kras_12_13 end as is_kras_12_13
from recent
