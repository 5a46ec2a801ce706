-- The role of backups: it copies the server and can log in to no database. The password must not get into the server's log.
SET log_min_duration_statement = -1;
SET log_statement = 'none';
\getenv password BACKUP_PASSWORD
SELECT 'CREATE ROLE backup' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backup') \gexec
ALTER ROLE backup LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION CONNECTION LIMIT 5 PASSWORD :'password';
