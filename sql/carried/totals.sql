-- Purpose: of all rows that stand how many there are and how many cells they hold; of the accepted rows of others than
-- the touched patients the last day.
-- Grain: one row. Reads the frame touched (patient_id), the table last_day (patient_id, known) and the view
-- standing_count (row_count, cell_count).
select
    (select sum(standing_count.row_count)::bigint from standing_count) as row_count,
    (select sum(standing_count.cell_count)::bigint from standing_count) as cell_count,
    (
        select max(last_day.known)
        from last_day
        where last_day.patient_id not in (select touched.patient_id from touched where touched.patient_id is not null)
    ) as latest_date
