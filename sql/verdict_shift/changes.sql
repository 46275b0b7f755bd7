-- Purpose: how many decisions each verdict gained since the last published run, less those it lost, by what moved them.
-- Grain: series, setting, centre and verdict with a gain or a loss.
-- Parameters: $guidelines (series that judged in both runs), $has_moved_on (whether one rolling edition judged every
-- decision, on another day than before). Reads the views <table>_now and <table>_before of verdict, decision,
-- class_view and edition, in the columns that both files have: one that an update brought changes no decision.
with elsewhere as (
    select decision_now.decision_id
    from decision_now
    inner join decision_before on decision_now.decision_id = decision_before.decision_id
    where
        decision_now.setting <> decision_before.setting
        or decision_now.centre_id <> decision_before.centre_id
),

-- Whatever is judged as it was, in the same cell, adds nothing to any change: nothing more is read of it.
moved as materialized (
    select
        coalesce(verdict_now.decision_id, verdict_before.decision_id) as decision_id,
        coalesce(verdict_now.guideline, verdict_before.guideline) as guideline,
        verdict_before.verdict as verdict_before,
        verdict_before.edition_id as edition_before,
        verdict_now.verdict as verdict_now,
        verdict_now.edition_id as edition_now
    from verdict_now
    full outer join verdict_before
        on
            verdict_now.decision_id = verdict_before.decision_id
            and verdict_now.guideline = verdict_before.guideline
    where
        list_contains($guidelines, coalesce(verdict_now.guideline, verdict_before.guideline))
        and (
            verdict_now.verdict is distinct from verdict_before.verdict
            or verdict_now.decision_id in (select elsewhere.decision_id from elsewhere)
        )
),

decision_of as (
    select
        decision_id,
        setting,
        centre_id,
        hash(decision_now) as row_hash
    from decision_now
    semi join moved on decision_now.decision_id = moved.decision_id
),

decision_was as (
    select
        decision_id,
        setting,
        centre_id,
        hash(decision_before) as row_hash
    from decision_before
    semi join moved on decision_before.decision_id = moved.decision_id
),

-- What was known at the first dose of a drug; its rows have a key, so that none cancels another.
view_of as (
    select
        decision_id,
        bit_xor(hash(class_view_now)) as row_hash
    from class_view_now
    semi join moved on class_view_now.decision_id = moved.decision_id
    group by decision_id
),

view_was as (
    select
        decision_id,
        bit_xor(hash(class_view_before)) as row_hash
    from class_view_before
    semi join moved on class_view_before.decision_id = moved.decision_id
    group by decision_id
),

changed_edition as (
    select
        coalesce(edition_now.edition_id, edition_before.edition_id) as edition_id,
        coalesce(edition_now.kind, edition_before.kind) as kind
    from edition_now
    full outer join edition_before on edition_now.edition_id = edition_before.edition_id
    where edition_now.sha256 is distinct from edition_before.sha256
),

caused as (
    select
        moved.guideline,
        decision_was.setting as setting_before,
        decision_was.centre_id as centre_before,
        moved.verdict_before,
        decision_of.setting as setting_now,
        decision_of.centre_id as centre_now,
        moved.verdict_now,
        case
            when (decision_of.row_hash is distinct from decision_was.row_hash) then 'data'
            when (view_of.row_hash is distinct from view_was.row_hash) then 'data'
            when edition_of.edition_id is not null then 'edition'
            when edition_was.edition_id is not null then 'edition'
            -- No guideline demands a drug that the label of the country did not yet allow.
            when exists (select 1 from changed_edition where changed_edition.kind = 'label') then 'edition'
            when $has_moved_on then 'data'
            else 'code'
        end as part
    from moved
    left join decision_of on moved.decision_id = decision_of.decision_id
    left join decision_was on moved.decision_id = decision_was.decision_id
    left join view_of on moved.decision_id = view_of.decision_id
    left join view_was on moved.decision_id = view_was.decision_id
    left join changed_edition as edition_of on moved.edition_now = edition_of.edition_id
    left join changed_edition as edition_was on moved.edition_before = edition_was.edition_id
),

change as (
    select
        guideline,
        setting_now as setting,
        centre_now as centre_id,
        verdict_now as verdict,
        part,
        1 as n
    from caused
    where verdict_now is not null
    union all
    select
        guideline,
        setting_before as setting,
        centre_before as centre_id,
        verdict_before as verdict,
        part,
        -1 as n
    from caused
    where verdict_before is not null
)

select
    guideline,
    setting,
    centre_id,
    verdict,
    coalesce(sum(n) filter (where part = 'data'), 0)::bigint as n_data,
    coalesce(sum(n) filter (where part = 'edition'), 0)::bigint as n_edition,
    coalesce(sum(n) filter (where part = 'code'), 0)::bigint as n_code
from change
group by guideline, setting, centre_id, verdict
