-- Role and database of the Prefect server: psql --set=password=SECRET --file=postgresql.sql, as a superuser.
-- It holds names of runs, their times, states and settings, nothing of a patient.
create role crlm login password :'password';
create database crlm owner crlm;
revoke all on database crlm from public;
