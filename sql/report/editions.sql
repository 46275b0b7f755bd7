-- Editions that judged at least one decision, with their state; no counts.
-- Grain: edition. Parameters: none.
with
used as (
    select distinct edition_id
    from cohort.verdict
    where edition_id is not null
)

select
    edition.edition_id,
    edition.guideline,
    edition.kind,
    edition.title,
    edition.citation,
    edition.from_date,
    edition.to_date,
    edition.superseded_from,
    edition.state,
    edition.is_signed,
    edition.sha256
from guideline.edition
inner join used on edition.edition_id = used.edition_id
order by edition.guideline, edition.from_date, edition.edition_id
