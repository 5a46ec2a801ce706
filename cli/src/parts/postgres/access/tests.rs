//! Who may log in, and as what: the files that a server of the lab really gets.

use super::*;

fn secrets(folder: &tempfile::TempDir) -> Secrets {
    let home = crate::home::Home {
        root: folder.path().into(),
        dir: supervisor::Folder::at(folder.path()),
        token: None,
    };
    Secrets::of(&home)
}

#[test]
fn the_exporter_reads_statistics_in_each_database_and_is_no_superuser() {
    let folder = tempfile::tempdir().unwrap();
    let sql = roles(&secrets(&folder)).unwrap();
    assert!(sql.contains("ALTER ROLE exporter LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"));
    let granted: Vec<_> = sql.lines().filter(|line| line.contains("TO exporter")).collect();
    assert_eq!(granted, ["GRANT pg_monitor TO exporter;"]);
    let hba = std::fs::read_to_string(rules(folder.path()).unwrap()).unwrap();
    let own: Vec<_> = hba.lines().filter(|line| line.contains("exporter")).collect();
    assert_eq!(own.len(), DATABASES.len() + 1, "{own:?}");
    assert!(own.contains(&"host orders orders,lab,control_room,exporter 127.0.0.1/32 scram-sha-256"));
    assert!(own.contains(&"host postgres lab,exporter 127.0.0.1/32 scram-sha-256"));
    let file = exporter_password(&secrets(&folder)).unwrap();
    assert!(!sql.contains(std::fs::read_to_string(file).unwrap().trim()), "only its verifier is sent");
}

#[test]
fn only_the_roles_of_backups_and_the_replica_copy_the_server_and_they_log_in_to_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let sql = roles(&secrets(&folder)).unwrap();
    let copies: Vec<_> = sql.lines().filter(|line| line.contains(" REPLICATION ")).collect();
    assert_eq!(copies.len(), 2, "{copies:?}");
    let mut logins = sql.lines().filter(|line| line.starts_with("ALTER ROLE") && line.contains(" PASSWORD "));
    assert!(logins.all(|line| line.ends_with(" VALID UNTIL 'infinity';")), "one that had expired: {sql}");
    let hba = std::fs::read_to_string(rules(folder.path()).unwrap()).unwrap();
    for (role, copies) in ["backup", "replica"].into_iter().zip(copies) {
        assert!(copies.starts_with(&format!("ALTER ROLE {role} LOGIN NOSUPERUSER")), "{copies}");
        let own: Vec<_> = hba.lines().filter(|line| line.contains(&format!(" {role} "))).collect();
        assert_eq!(own, [format!("host replication {role} 127.0.0.1/32 scram-sha-256")]);
        assert!(!sql.lines().any(|line| line.starts_with("GRANT") && line.contains(role)), "{sql}");
    }
}

#[test]
fn the_control_room_reads_all_databases_ends_sessions_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sql = roles(&secrets(&folder)).unwrap();
    let granted: Vec<_> = sql.lines().filter(|line| line.contains("TO control_room")).collect();
    assert_eq!(
        granted,
        ["GRANT pg_monitor, pg_signal_backend TO control_room;", "GRANT pg_read_all_data TO control_room;"]
    );
    assert!(sql.contains("ALTER ROLE control_room SET default_transaction_read_only = on;"), "{sql}");
    let hba = std::fs::read_to_string(rules(folder.path()).unwrap()).unwrap();
    assert_eq!(hba.matches("control_room").count(), DATABASES.len(), "no other database: {hba}");
    let urls = room_urls(&secrets(&folder), 5432).unwrap();
    let names: Vec<_> = urls.split(',').filter_map(|entry| entry.split('=').next()).collect();
    assert_eq!(names, DATABASES);
    assert!(urls.contains("@127.0.0.1:5432/orders"), "{urls}");
}

#[test]
fn a_service_is_told_its_password_anew_at_each_start_and_its_role_gets_that_one() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(&folder);
    let first = url(&secrets, 5432, "orders").unwrap();
    let fresh = fresh_url(&secrets, 5432, "orders");
    let now = || {
        let password = std::fs::read_to_string(&fresh.file).unwrap();
        format!("{}{}{}", fresh.before, password.trim(), fresh.after)
    };
    assert_eq!(now(), first);
    let sql = rekey(&secrets, "orders").unwrap();
    secrets.replace("postgres-orders").unwrap();
    assert_ne!(now(), first);
    let other = rekey(&secrets, "orders").unwrap();
    assert_ne!(sql, other);
    let verifier = other.strip_prefix("SELECT public.rekey('orders', '").unwrap();
    assert!(roles(&secrets).unwrap().contains(verifier.trim_end_matches("')")), "the next start agrees");
}

#[test]
fn roles_are_applied_again_when_they_change_and_only_then() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mark = |folder| mark(&roles(&secrets(folder)).unwrap());
    assert_eq!(mark(&one), mark(&one));
    assert_ne!(mark(&one), mark(&other), "another lab has other passwords");
}
