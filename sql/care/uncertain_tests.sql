-- Analytes of which it is not known whether, or when, a patient was tested: an absent result is then no missing test.
-- Grain: patient and analyte. Parameters: $as_of (date).
-- A result without any date, a test marked as not recorded, and every patient of a registry that holds no result of the
-- analyte at all: such a registry does not collect it.
with
gene (gene, analyte) as (
    values
    ('msi', 'msi'),
    ('mlh1', 'msi'),
    ('pms2', 'msi'),
    ('msh2', 'msi'),
    ('msh6', 'msi'),
    ('kras', 'extended_ras'),
    ('nras', 'extended_ras'),
    ('braf', 'braf'),
    ('erbb2', 'her2'),
    ('dpyd', 'dpyd')
),

unsure as (
    select
        biomarker.patient_id,
        gene.analyte
    from extract.biomarker as biomarker
    inner join gene on biomarker.analyte = gene.gene
    where
        coalesce(biomarker.report_date, biomarker.sample_date, $as_of) <= $as_of
        and (
            biomarker.missing_reason = 'not_recorded'
            or (
                biomarker.report_date is null
                and biomarker.sample_date is null
                and biomarker.missing_reason is null
                and biomarker.result not in ('failed', 'indeterminate')
                -- Plasma and mutations of ERBB2 say nothing of these analytes.
                and biomarker.specimen_site is distinct from 'plasma'
                and not (gene.gene = 'erbb2' and biomarker.result in ('mutated', 'not_detected'))
            )
        )
),

never_collected as (
    select distinct analyte
    from gene
    where analyte not in (select known.analyte from cohort.analyte_known as known)
)

select
    patient_id,
    analyte
from unsure
union
select
    patient.patient_id,
    never_collected.analyte
from cohort.patient as patient
cross join never_collected
