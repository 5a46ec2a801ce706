//! The addresses of what has no admin port: the stores, Alertmanager, the load, and the files of a
//! lab on this machine. What is absent is [`Error::NotHere`], with the next step.

pub(crate) mod process;
pub(crate) mod scripts;
pub(crate) mod state;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use observe::Peer;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, postgres::PgConnectOptions};
use tokio::{process::Command, time::timeout};
use url::Url;

use crate::{Error, Result};

/// Longest time for a statement; the server ends it then.
const LIMIT: Duration = Duration::from_secs(5);
/// Longest wait for an answer of PostgreSQL.
const PATIENCE: Duration = Duration::from_secs(6);
/// Longest time until Prometheus has forgotten: it is stopped, changed, started, and has to evaluate its
/// rules.
const FORGETTING: Duration = Duration::from_secs(300);
/// How PostgreSQL shows our sessions.
const NAME: &str = "control-room";

/// Parts of a lab on this machine that a drill may stop, with all of their replicas, and that anybody may start. Not
/// Prometheus: without it nobody would see what happens.
pub const STOPPABLE: [&str; 4] = ["alertmanager", "order-worker", "postgres", "user-service"];

/// Where things are.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    /// URLs of the databases by name, of a role that may read them and end sessions.
    pub databases: BTreeMap<String, SecretString>,
    /// URL of Redis, of an account that may scan and remove keys.
    pub redis: Option<SecretString>,
    /// Alertmanager.
    pub alertmanager: Option<Url>,
    /// Admin port of the load generator.
    pub load: Option<Url>,
    /// The lab on this machine, if it is one.
    pub lab: Option<Lab>,
}

/// The name of a lab, such as `sre-lab/.lab`: its checkout and its own folder. To overwrite its data, you have to say it.
#[must_use]
pub fn instance(root: &Path, dir: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("{}/{}", name(root), name(dir))
}

/// A lab on this machine.
#[derive(Debug, Clone)]
pub struct Lab {
    /// The checkout.
    pub root: PathBuf,
    /// Its own folder, with `state.json`.
    pub dir: PathBuf,
    /// The program `lab`.
    pub program: PathBuf,
}

impl Tools {
    /// One statement that reads, in a read-only transaction with a time limit of 5 s. Its values `$1` and so
    /// on are bound as text. Each row is a JSON object.
    ///
    /// # Errors
    /// When there is no such database, or what PostgreSQL says.
    pub async fn sql(
        &self,
        database: &str,
        text: &str,
        values: &[String],
    ) -> Result<Vec<Map<String, Value>>> {
        // The name of the row must be that of no column, or the column would be meant.
        let statement = text.trim().trim_end_matches(';');
        let statement =
            AssertSqlSafe(format!("SELECT to_jsonb(\"the row\") FROM (\n{statement}\n) AS \"the row\""));
        let mut connection = self.connect(database).await?;
        let rows = answer(database, async {
            let mut transaction = connection.begin_with("BEGIN READ ONLY").await?;
            let query = sqlx::query_scalar::<Postgres, Value>(statement);
            let query = values.iter().fold(query, |query, value| query.bind(value.as_str()));
            let rows = query.fetch_all(&mut *transaction).await?;
            transaction.rollback().await?;
            Ok(rows)
        });
        let rows = rows.await?;
        close(connection).await;
        let object = |row: Value| if let Value::Object(row) = row { Some(row) } else { None };
        Ok(rows.into_iter().filter_map(object).collect())
    }

    /// Prometheus forgets what the objectives recorded: `lab slo reset`. Returns what it says, as soon as pages can come
    /// again.
    ///
    /// # Errors
    /// When this is no lab on this machine, or what the command says.
    pub async fn forget_history(&self) -> Result<String> {
        let elsewhere = "elsewhere wait until the longest window has passed";
        let lab = self.lab("Prometheus cannot be made to forget", elsewhere)?;
        let mut command = Command::new(&lab.program);
        command.arg("--root").arg(&lab.root).arg("--dir").arg(&lab.dir).args(["slo", "reset", "--pages"]);
        command.current_dir(&lab.root);
        run(command, "lab slo reset", FORGETTING).await
    }

    /// How many requests per second the load generator sends.
    ///
    /// # Errors
    /// When it is not known or does not answer.
    pub async fn load_rate(&self) -> Result<f64> {
        let answer = self.load()?.get("/rate", &[]).await?;
        answer["rps"].as_f64().ok_or_else(|| Error::store("load", "its answer has no rate"))
    }

    /// The client of the load generator.
    pub(crate) fn load(&self) -> Result<Peer> {
        let none = || {
            Error::not_here(
                "no load generator is known here",
                "set LOAD_ADMIN_URL; `lab up` sets it unless it was started with --no-load",
            )
        };
        let url = self.load.as_ref().ok_or_else(none)?;
        Ok(Peer::at(url.as_str()).next_step("does the load generator run? see `lab status`"))
    }

    /// The client of Alertmanager.
    pub(crate) fn alertmanager(&self) -> Result<Peer> {
        let none = || Error::not_here("no Alertmanager is known here", "set ALERTMANAGER_URL");
        let url = self.alertmanager.as_ref().ok_or_else(none)?;
        Ok(Peer::at(url.as_str()).next_step("does Alertmanager run? see `lab status`"))
    }

    /// The URL of Redis.
    pub(crate) fn redis(&self) -> Result<&str> {
        let none = || Error::not_here("no Redis is known here", "set REDIS_URL, or use `lab redis-cli`");
        self.redis.as_ref().map(|url| url.expose_secret()).ok_or_else(none)
    }

    /// The lab on this machine; `what` is not possible without one, and `elsewhere` is what to do then.
    pub(crate) fn lab(&self, what: &str, elsewhere: &str) -> Result<&Lab> {
        let next = format!("`lab up` sets LAB_DIR, LAB_ROOT and LAB_PROGRAM for it; {elsewhere}");
        self.lab.as_ref().ok_or_else(|| Error::not_here(format!("{what} from here"), next))
    }

    /// A connection to a database.
    pub(crate) async fn connect(&self, database: &str) -> Result<PgConnection> {
        let url = self.databases.get(database).ok_or_else(|| self.no_database(database))?;
        answer(database, async {
            let options: PgConnectOptions = url.expose_secret().parse()?;
            let limit = format!("{}ms", LIMIT.as_millis());
            let options = options.application_name(NAME).options([("statement_timeout", limit)]);
            PgConnection::connect_with(&options).await
        })
        .await
    }

    fn no_database(&self, wanted: &str) -> Error {
        if self.databases.is_empty() {
            return Error::not_here("no database is known here", "set DATABASES, or use `lab psql`");
        }
        let known: Vec<&str> = self.databases.keys().map(String::as_str).collect();
        Error::Wrong {
            field: "database",
            expected: format!("expected one of {}, found `{wanted}`", known.join(", ")),
        }
    }
}

/// What PostgreSQL answers within a time limit.
pub(crate) async fn answer<T>(database: &str, work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    let failed = |cause: String| Error::store(format!("PostgreSQL, database {database}"), cause);
    match timeout(PATIENCE, work).await {
        Ok(result) => result.map_err(|error| failed(said(&error))),
        Err(_) => Err(failed(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

/// Ends a session in order. Its work is done: how it ends changes nothing.
pub(crate) async fn close(connection: PgConnection) {
    let _ = timeout(PATIENCE, connection.close()).await;
}

/// PostgreSQL's own sentence, or what kept us from hearing it.
fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.to_string(),
    }
}

/// The JSON that a program of the lab printed.
///
/// # Errors
/// When it has another format: then the program is of another version.
pub(crate) fn answer_of<T: serde::de::DeserializeOwned>(printed: &str) -> Result<T> {
    serde_json::from_str(printed).map_err(|error| Error::Lab(format!("lab is of another version: {error}")))
}

/// Runs a program to its end; returns what it printed.
///
/// # Errors
/// Its last words, or that it took too long: then it is killed.
pub(crate) async fn run(mut command: Command, name: &str, within: Duration) -> Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let failed = |cause: String| Error::Lab(format!("{name}: {cause}"));
    let output = match timeout(within, command.output()).await {
        Ok(output) => output.map_err(|error| failed(error.to_string()))?,
        Err(_) => return Err(failed(format!("not done after {} s", within.as_secs()))),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stderr);
    Err(failed(if said.is_empty() { output.status.to_string() } else { said }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_absent_names_the_next_step() {
        let tools = Tools::default();
        let sql = tools.sql("orders", "select 1", &[]).await.unwrap_err();
        assert_eq!(sql.to_string(), "no database is known here; set DATABASES, or use `lab psql`");
        for (said, next) in [
            (tools.load_rate().await.unwrap_err(), "LOAD_ADMIN_URL"),
            (tools.alertmanager().unwrap_err(), "ALERTMANAGER_URL"),
            (tools.redis().unwrap_err(), "REDIS_URL"),
            (tools.forget_history().await.unwrap_err(), "LAB_PROGRAM"),
        ] {
            assert!(matches!(said, Error::NotHere { .. }), "{said:?}");
            assert!(said.to_string().contains(next), "{said}");
        }
    }

    #[tokio::test]
    async fn an_unknown_database_is_refused_and_no_url_is_shown() {
        let url = SecretString::from("postgres://lab:open-sesame@127.0.0.1:1/orders");
        let databases = BTreeMap::from([("orders".to_owned(), url)]);
        let redis = Some(SecretString::from("redis://:open-sesame@127.0.0.1:1"));
        let tools = Tools { databases, redis, ..Tools::default() };
        let said = tools.sql("users", "select 1", &[]).await.unwrap_err().to_string();
        assert_eq!(said, "database: expected one of orders, found `users`");
        let refused = tools.sql("orders", "select 1", &[]).await.unwrap_err().to_string();
        assert!(refused.starts_with("PostgreSQL, database orders: "), "{refused}");
        assert!(!format!("{refused} {tools:?}").contains("sesame"), "{refused} {tools:?}");
    }

    #[tokio::test]
    async fn a_program_that_fails_is_quoted() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        assert_eq!(run(shell("echo done"), "it", PATIENCE).await.unwrap(), "done");
        let failed = run(shell("echo no >&2; exit 3"), "it", PATIENCE).await.unwrap_err();
        assert_eq!(failed.to_string(), "it: no");
        let silent = run(shell("exit 3"), "it", PATIENCE).await.unwrap_err().to_string();
        assert!(silent.contains('3'), "{silent}");
    }
}
