-- The exposures before a decision that its facts about earlier treatment rest on.
-- Grain: decision, fact and row. Reads `decided`, `exposure`, `prior_class` (drug_class, fact). Parameters: none.
with earlier as (
    select
        decided.decision_id,
        exposure.source_file_id,
        exposure.source_row,
        prior_class.fact,
        exposure.inn
    from decided
    inner join exposure
        on
            decided.patient_id = exposure.patient_id
            and decided.decision_date > exposure.start_date
    inner join prior_class on exposure.drug_class = prior_class.drug_class
    where
        case prior_class.fact
            when 'prior_fluoropyrimidine' then decided.prior_fluoropyrimidine
            when 'prior_oxaliplatin' then decided.prior_oxaliplatin
            when 'prior_irinotecan' then decided.prior_irinotecan
            when 'prior_anti_egfr' then decided.prior_anti_egfr
            when 'prior_anti_vegf' then decided.prior_anti_vegf
            when 'prior_checkpoint_inhibitor' then decided.prior_checkpoint_inhibitor
            when 'prior_braf_inhibitor' then decided.prior_braf_inhibitor
            when 'prior_kras_g12c_inhibitor' then decided.prior_kras_g12c_inhibitor
            when 'prior_anti_her2' then decided.prior_anti_her2
            when 'days_since_anti_egfr' then decided.days_since_anti_egfr is not null
            when 'failed_classes' then list_contains(decided.failed_classes, exposure.drug_class)
            when 'previous_backbone' then decided.previous_backbone is not null and exposure.line = decided.line - 1
            when 'chemotherapy_line_count' then decided.chemotherapy_line_count > 0 and exposure.line > 0
        end
)

select distinct
    decision_id,
    fact,
    source_file_id,
    'drug_exposure' as table_name,
    source_row,
    concat('given before: ', inn) as reason
from earlier
order by decision_id, fact, source_file_id, source_row, reason
