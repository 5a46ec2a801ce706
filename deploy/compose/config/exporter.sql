-- The role of postgres-exporter: statistics, no tables. For data from before it: docker compose exec -T postgres psql -U lab postgres <config/exporter.sql
CREATE ROLE exporter LOGIN CONNECTION LIMIT 5 PASSWORD 'exporter';
GRANT pg_monitor TO exporter;
