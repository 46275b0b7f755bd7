-- The exposures before a decision that its facts about earlier treatment rest on.
-- Grain: decision, fact and row. Parameters: $cytotoxic (drug classes).
with earlier as (
    select
        decided.decision_id,
        exposure.source_file_id,
        exposure.source_row,
        exposure.inn,
        unnest(
            [
                case exposure.drug_class
                    when 'fluoropyrimidine'
                        then case when decided.prior_fluoropyrimidine then 'prior_fluoropyrimidine' end
                    when 'oxaliplatin' then case when decided.prior_oxaliplatin then 'prior_oxaliplatin' end
                    when 'irinotecan' then case when decided.prior_irinotecan then 'prior_irinotecan' end
                    when 'anti_egfr' then case when decided.prior_anti_egfr then 'prior_anti_egfr' end
                    when 'anti_vegf' then case when decided.prior_anti_vegf then 'prior_anti_vegf' end
                    when 'checkpoint_inhibitor'
                        then case when decided.prior_checkpoint_inhibitor then 'prior_checkpoint_inhibitor' end
                    when 'braf_inhibitor' then case when decided.prior_braf_inhibitor then 'prior_braf_inhibitor' end
                    when 'kras_g12c_inhibitor'
                        then case when decided.prior_kras_g12c_inhibitor then 'prior_kras_g12c_inhibitor' end
                    when 'anti_her2' then case when decided.prior_anti_her2 then 'prior_anti_her2' end
                end,
                case
                    when exposure.drug_class = 'anti_egfr' and decided.days_since_anti_egfr is not null
                        then 'days_since_anti_egfr'
                end,
                case when list_contains(decided.failed_classes, exposure.drug_class) then 'failed_classes' end,
                case
                    when
                        list_contains($cytotoxic, exposure.drug_class)
                        and decided.previous_backbone is not null
                        and exposure.line = decided.line - 1
                        then 'previous_backbone'
                end,
                case
                    when
                        list_contains($cytotoxic, exposure.drug_class)
                        and decided.chemotherapy_line_count > 0
                        and exposure.line > 0
                        then 'chemotherapy_line_count'
                end
            ]
        ) as fact
    from cohort.decision as decided
    inner join cohort.exposure_role as exposure
        on
            decided.patient_id = exposure.patient_id
            and decided.decision_date > exposure.start_date
)

select distinct
    decision_id,
    fact,
    source_file_id,
    'drug_exposure' as table_name,
    source_row,
    concat('given before: ', inn) as reason
from earlier
where fact is not null
