-- Metastatic patients by precision pathway.
-- Grain: population (metastatic, crlm), centre, year, guideline, edition and pathway; null in centre, year or edition
-- means all of them, a null pathway that no rule applies. The centre is the one that reports the patient.
-- Parameters: none.
with
members as (
    select
        patient_id,
        centre_id,
        case when not is_relative_calendar then year(first_event_date) end as year,
        unnest(case when is_crlm then ['metastatic', 'crlm'] else ['metastatic'] end) as population
    from cohort.patient
    where is_metastatic
),

totals as (
    select
        population,
        centre_id,
        year,
        count(*) as n_total
    from members
    group by population, cube (centre_id, year)
    having grouping(year) = 1 or year is not null
),

finest as (
    select
        members.population,
        members.centre_id,
        members.year,
        patient_pathway.guideline,
        patient_pathway.edition_id,
        patient_pathway.pathway,
        count(*) as n
    from members
    inner join cohort.patient_pathway on members.patient_id = patient_pathway.patient_id
    group by
        members.population,
        members.centre_id,
        members.year,
        patient_pathway.guideline,
        patient_pathway.edition_id,
        patient_pathway.pathway
),

rolled_up as (
    select
        population,
        centre_id,
        year,
        guideline,
        edition_id,
        pathway,
        sum(n)::bigint as n
    from finest
    group by population, guideline, pathway, cube (centre_id, year, edition_id)
    having
        (grouping(year) = 1 or year is not null)
        and (grouping(edition_id) = 1 or edition_id is not null)
)

select
    rolled_up.population,
    rolled_up.centre_id,
    rolled_up.year::integer as year,
    rolled_up.guideline,
    rolled_up.edition_id,
    rolled_up.pathway,
    rolled_up.n,
    totals.n_total,
    100.0::double * rolled_up.n / totals.n_total as percent
from rolled_up
inner join totals
    on
        rolled_up.population = totals.population
        and rolled_up.centre_id is not distinct from totals.centre_id
        and rolled_up.year is not distinct from totals.year
