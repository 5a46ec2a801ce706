-- The role of postgres-exporter: statistics, no tables. For data from before it: docker compose exec -T postgres psql -U lab postgres <config/exporter.sql
CREATE ROLE exporter LOGIN CONNECTION LIMIT 8 PASSWORD 'exporter';
GRANT pg_monitor TO exporter;
ALTER ROLE exporter SET default_transaction_read_only = on;
