//! Who may log in to PostgreSQL, and as which role: each service has a role that owns its database and can do nothing
//! else; the exporter has one that can read statistics; the control room has one that can read everything and end
//! sessions; the lab's owner has one that can also change everything; backups and the replica have one each that can copy the
//! server; nobody is a superuser.

use std::path::{Path, PathBuf};

use anyhow::Result;
use sha2::{Digest as _, Sha256};
use supervisor::{part::Fresh, write_private};

use secrecy::ExposeSecret as _;

use super::{lease, verifier::verifier};
use crate::secrets::Secrets;

/// Databases, one for each service that needs one. The role of the service has the same name.
pub(crate) const DATABASES: &[&str] = &["users", "orders", "fulfillment"];

/// The role of the lab's owner: for `lab psql`, and for the person on call.
pub(crate) const OWNER: &str = "lab";

/// The role of postgres_exporter: it reads statistics, and no table.
pub(crate) const EXPORTER: &str = "exporter";

/// The role of backups: it can copy the whole server, and log in to no database.
pub(crate) const BACKUP: &str = "backup";

/// The file, in the secrets folder, in which libpq finds its password.
pub(crate) const BACKUP_PASS_FILE: &str = "pgpass-backup";

/// The role of the streaming replica, the name of its slot, and what it calls itself: it can copy the server, and log in to
/// no database.
pub(crate) const REPLICA_ROLE: &str = "replica";

/// The role of the control room: for the person on call, and for runbooks.
const ROOM: &str = "control_room";

/// The file, in the secrets folder, in which libpq finds the owner's password.
pub(crate) const PASS_FILE: &str = "pgpass";

/// URL of one database for its service.
///
/// # Errors
/// When its password can be neither read nor created.
pub(crate) fn url(secrets: &Secrets, port: u16, database: &str) -> Result<String> {
    let password = secrets.make(&file(database))?;
    let Fresh { before, after, .. } = fresh_url(secrets, port, database);
    Ok(format!("{before}{}{after}", password.expose_secret()))
}

/// The same, recreated at each start of the service: with the password that is in the secrets then.
pub(crate) fn fresh_url(secrets: &Secrets, port: u16, database: &str) -> Fresh {
    Fresh {
        name: "DATABASE_URL".to_owned(),
        before: format!("postgres://{database}:"),
        file: secrets.path(&file(database)),
        after: format!("@127.0.0.1:{port}/{database}"),
    }
}

/// SQL that gives the role of a service the password that is in the secrets, for the lab's owner.
///
/// # Errors
/// When it can be neither read nor created.
pub(crate) fn rekey(secrets: &Secrets, role: &str) -> Result<String> {
    Ok(format!("SELECT public.rekey('{role}', '{}')", verifier_of(secrets, role)?))
}

/// URLs of all databases for the control room: NAME=URL, separated by commas.
///
/// # Errors
/// When its password can be neither read nor created.
pub(crate) fn room_urls(secrets: &Secrets, port: u16) -> Result<String> {
    let password = secrets.make(&file(ROOM))?;
    let url = |database: &&str| {
        format!("{database}=postgres://{ROOM}:{}@127.0.0.1:{port}/{database}", password.expose_secret())
    };
    Ok(DATABASES.iter().map(url).collect::<Vec<_>>().join(","))
}

/// The file with the password of the exporter's role.
///
/// # Errors
/// When it can be neither read nor created.
pub(crate) fn exporter_password(secrets: &Secrets) -> Result<PathBuf> {
    let name = file(EXPORTER);
    secrets.make(&name)?;
    Ok(secrets.path(&name))
}

/// URL for reading statistics, in the role of the exporter.
///
/// # Errors
/// When its password can be neither read nor created.
pub(crate) fn statistics_url(secrets: &Secrets, port: u16) -> Result<String> {
    let password = secrets.make(&file(EXPORTER))?;
    Ok(format!("postgres://{EXPORTER}:{}@127.0.0.1:{port}/postgres", password.expose_secret()))
}

/// Writes the file in which the replica's server finds its password; returns its path. It is beside the data, because the
/// user who runs servers cannot read the secrets.
///
/// # Errors
/// When it cannot be written, or the password can be neither read nor created.
pub(super) fn replica_pass_file(secrets: &Secrets, base: &Path) -> Result<PathBuf> {
    let password = secrets.make(&file(REPLICA_ROLE))?;
    let path = base.join("pgpass-replica");
    write_private(&path, &format!("127.0.0.1:*:*:{REPLICA_ROLE}:{}\n", password.expose_secret()))?;
    Ok(path)
}

/// Name of the secret for a role.
pub(crate) fn file(role: &str) -> String {
    format!("postgres-{role}")
}

/// Writes pg_hba.conf; returns its path.
pub(super) fn rules(base: &Path) -> Result<PathBuf> {
    let path = base.join("pg_hba.conf");
    let mut text =
        "# Written by `lab up`; the next start overwrites it. A role that is not listed is refused.\n"
            .to_owned();
    for database in DATABASES {
        text.push_str(&format!(
            "host {database} {database},{OWNER},{ROOM},{EXPORTER} 127.0.0.1/32 scram-sha-256\n"
        ));
    }
    text.push_str(&format!("host postgres {OWNER},{EXPORTER} 127.0.0.1/32 scram-sha-256\n"));
    // `replication` is no database but the protocol that copies the server.
    for role in [BACKUP, REPLICA_ROLE] {
        text.push_str(&format!("host replication {role} 127.0.0.1/32 scram-sha-256\n"));
    }
    write_private(&path, &text)?;
    Ok(path)
}

/// SQL that creates the databases. One statement per line, as single-user mode requires.
pub(super) fn databases() -> String {
    DATABASES.iter().map(|name| format!("CREATE DATABASE {name};\n")).collect()
}

/// SQL that gives each role its password and rights; can be run repeatedly. One statement per line.
pub(super) fn roles(secrets: &Secrets) -> Result<String> {
    let mut sql = String::new();
    for role in DATABASES.iter().chain([&OWNER, &EXPORTER, &ROOM, &BACKUP, &REPLICA_ROLE]) {
        let password = secrets.make(&file(role))?;
        let copies = [BACKUP, REPLICA_ROLE].contains(role);
        let replication = if copies { "REPLICATION" } else { "NOREPLICATION" };
        sql.push_str(&format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF; END $$;\n\
             ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE {replication} PASSWORD '{}' VALID UNTIL 'infinity';\n",
            verifier_of(secrets, role)?
        ));
        if role == &OWNER {
            let entry = |host: &str| format!("{host}:*:*:{OWNER}:{}\n", password.expose_secret());
            secrets.write(PASS_FILE, &(entry("127.0.0.1") + &entry("localhost")))?;
        }
        if role == &BACKUP {
            let entry = format!("127.0.0.1:*:*:{BACKUP}:{}\n", password.expose_secret());
            secrets.write(BACKUP_PASS_FILE, &entry)?;
        }
    }
    for database in DATABASES {
        sql.push_str(&format!("ALTER DATABASE {database} OWNER TO {database};\n"));
    }
    sql.push_str(&format!("GRANT pg_monitor, pg_signal_backend, {} TO {OWNER};\n", DATABASES.join(", ")));
    sql.push_str(&lease::statements(OWNER, DATABASES, BACKUP));
    // It writes nothing, even by mistake. PostgreSQL 13 does not know the right to read all tables, and refuses that
    // statement alone.
    sql.push_str(&format!(
        "GRANT pg_monitor, pg_signal_backend TO {ROOM};\nGRANT pg_read_all_data TO {ROOM};\n\
         ALTER ROLE {ROOM} CONNECTION LIMIT 10;\nALTER ROLE {ROOM} SET default_transaction_read_only = on;\n"
    ));
    // One connection for each database, two for the server, and one of the lab that watches a replica. More than a few would
    // be taken from the services.
    sql.push_str(&format!(
        "GRANT pg_monitor TO {EXPORTER};\nALTER ROLE {EXPORTER} CONNECTION LIMIT 8;\n\
         ALTER ROLE {EXPORTER} SET default_transaction_read_only = on;\n"
    ));
    Ok(sql)
}

/// The same, one statement each: for a server that was restored, whose roles are those of an earlier time.
///
/// # Errors
/// When a password can be neither read nor created.
pub(crate) fn role_statements(secrets: &Secrets) -> Result<Vec<String>> {
    Ok(roles(secrets)?.lines().map(str::to_owned).collect())
}

/// Name of the file that records that this SQL was run: other roles, or other passwords, are another file.
pub(super) fn mark(sql: &str) -> String {
    let digest = Sha256::digest(sql.as_bytes());
    digest.iter().take(8).fold("postgres-applied-".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// The verifier of the password that a role has in the secrets.
fn verifier_of(secrets: &Secrets, role: &str) -> Result<String> {
    let (password, salt) = (secrets.make(&file(role))?, secrets.make(&format!("{}-salt", file(role)))?);
    Ok(verifier(&password, salt.expose_secret(), iterations(role)))
}

/// Iterations of a role's verifier. One is enough: more would only slow down guessing, which is hopeless against 192 random bits,
/// and every connection would pay for them. The exporter's client insists on the least that RFC 7677 recommends.
fn iterations(role: &str) -> u32 {
    if role == EXPORTER { 4096 } else { 1 }
}

#[cfg(test)]
mod tests;
