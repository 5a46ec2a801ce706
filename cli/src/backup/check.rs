//! Whether a restored server is good: the shop's invariants, every index, and how many rows there are.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use reconcile::check_moment;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{base::last_line, scratch::Scratch};
use crate::parts::postgres::{DATABASES, Local};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    /// What was checked, one sentence each.
    pub(crate) checked: Vec<String>,
    /// What does not hold, one sentence each.
    pub(crate) complaints: Vec<String>,
    /// Rows by database and table.
    pub(crate) rows: BTreeMap<String, u64>,
}

/// Checks everything. A missing database is a complaint: a lab has all three.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn look(local: &Local, server: &Scratch) -> Result<Checked> {
    let mut found = Checked::default();
    let there = databases(server).await?;
    for missing in DATABASES.iter().filter(|name| !there.iter().any(|there| there == *name)) {
        found.complaints.push(format!("the database {missing} is missing"));
    }
    for database in DATABASES.iter().filter(|name| there.iter().any(|there| there == *name)) {
        count(server, database, &mut found).await?;
    }
    if ["orders.orders", "fulfillment.payments"].iter().all(|table| found.rows.contains_key(*table)) {
        let books = check_moment(&server.url("orders"), &server.url("fulfillment")).await;
        found.complaints.extend(books.context("the books cannot be read")?.violations);
        found.checked.push("orders and payments agree, and none is lost or doubled".to_owned());
    }
    indexes(local, server, &there, &mut found).await?;
    Ok(found)
}

async fn databases(server: &Scratch) -> Result<Vec<String>> {
    let mut connection = PgConnection::connect(&server.url("postgres")).await?;
    let names =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datallowconn AND NOT datistemplate")
            .fetch_all(&mut connection)
            .await?;
    connection.close().await?;
    Ok(names)
}

/// Counts the rows of each table, which also reads each.
async fn count(server: &Scratch, database: &str, found: &mut Checked) -> Result<()> {
    let mut connection = PgConnection::connect(&server.url(database)).await?;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            .fetch_all(&mut connection)
            .await?;
    for table in &tables {
        let sql = format!("SELECT count(*) FROM public.\"{}\"", table.replace('"', "\"\""));
        let counted: Result<i64, sqlx::Error> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await;
        match counted {
            Ok(rows) => {
                found.rows.insert(format!("{database}.{table}"), u64::try_from(rows).unwrap_or_default());
            }
            Err(error) => found.complaints.push(format!("{database}.{table} cannot be read: {error}")),
        }
    }
    connection.close().await?;
    found.checked.push(format!("{} tables of {database} were read", tables.len()));
    Ok(())
}

/// `pg_amcheck` on every table and index. Its extension is installed for it, and removed.
async fn indexes(local: &Local, server: &Scratch, there: &[String], found: &mut Checked) -> Result<()> {
    if !local.has("pg_amcheck") {
        found.checked.push("indexes were not checked: pg_amcheck is not installed".to_owned());
        return Ok(());
    }
    let mut command = local.command("pg_amcheck");
    command.args(["--username=postgres", "--no-password", "--heapallindexed", "--install-missing"]);
    command.arg(format!("--host={}", server.host()));
    there.iter().for_each(|database| {
        command.arg(format!("--database={database}"));
    });
    let output = command.output().context("cannot run pg_amcheck")?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() {
        found.checked.push("every table and index is sound (pg_amcheck)".to_owned());
    } else if text.contains("could not open extension control file") {
        found
            .checked
            .push("indexes were not checked: PostgreSQL's extension amcheck is not installed".to_owned());
    } else {
        found.complaints.push(format!("pg_amcheck: {}", last_line(&text)));
    }
    for database in there {
        run(server, database, "DROP EXTENSION IF EXISTS amcheck").await?;
    }
    Ok(())
}

/// Runs a statement as the superuser.
///
/// # Errors
/// When the server refuses it.
pub(crate) async fn run(server: &Scratch, database: &str, sql: &str) -> Result<()> {
    let mut connection = PgConnection::connect(&server.url(database)).await?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    connection.close().await?;
    match done {
        Ok(_) => Ok(()),
        // PostgreSQL 13 does not know this right, and refuses only that statement.
        Err(error) if sql.contains("pg_read_all_data") && error.to_string().contains("does not exist") => {
            Ok(())
        }
        Err(error) => bail!("{error}"),
    }
}
