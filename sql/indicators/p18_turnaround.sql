-- id: P18
-- title: Days from sample to report of a molecular test
-- population: tests that were done or are pending, one for each specimen, method and report, whatever the number of
--   genes on it
-- denominator: sample date known, and either the report date known or the result pending at the as-of date; otherwise
--   the test is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: reported
-- direction: down
-- target: none
-- state: unverified
-- minimum size: 10
-- display: median
-- centre: the centre of the test, else the centre that reports the patient
-- member: test
-- parameters: as_of
with
tests as (
    select
        biomarker.patient_id,
        biomarker.specimen_id,
        coalesce(biomarker.method, 'unknown') as method,
        biomarker.sample_date,
        case when biomarker.report_date <= $as_of then biomarker.report_date end as report_date,
        -- What was reported after the as-of date was pending on it, and a test is while any gene on it is.
        bool_or(coalesce(biomarker.report_date > $as_of, biomarker.missing_reason = 'pending', false)) as is_pending,
        min(coalesce(biomarker.centre_id, patient.centre_id)) as centre_id,
        patient.is_relative_calendar
    from extract.biomarker
    inner join cohort.patient on biomarker.patient_id = patient.patient_id
    where biomarker.missing_reason is null or biomarker.missing_reason = 'pending'
    group by all
)

select
    concat_ws('/', patient_id, specimen_id, method, sample_date, report_date) as member_id,
    centre_id,
    case when not is_relative_calendar then sample_date end as event_date,
    true as in_population,
    case when sample_date is not null and (report_date is not null or is_pending) then true end as in_denominator,
    case when sample_date is not null and (report_date is not null or is_pending) then not is_pending end
        as in_numerator,
    case when sample_date is not null then greatest(coalesce(report_date, $as_of) - sample_date, 0) end as days
from tests
where sample_date is null or sample_date <= $as_of
