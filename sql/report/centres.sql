-- Centres that report a patient, took a decision or gave a test.
-- Grain: centre. Parameters: none.
select centre_id from cohort.patient
union distinct
select centre_id from cohort.decision
union distinct
select centre_id from extract.biomarker
where centre_id is not null
order by centre_id
