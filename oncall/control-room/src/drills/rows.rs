//! The statements about runs. Events are only added; a run's own row is completed when it is over.

use chrono::{DateTime, Utc};
use drill::{Outcome, engine::Start};
use sqlx::{SqliteConnection, SqlitePool};

use super::{
    curve::Sketch,
    live::{Entry, Happened, verifies},
};
use crate::{error::Result, store::time};

/// The columns of a [`Row`].
const COLUMNS: &str = "SELECT id, drill, file, mystery, responder, start, followed, ended_at, verdict, \
                       score, outcome, curve, learned FROM drill_runs";

/// `id, drill, file, mystery, responder, start, followed, ended_at, verdict, score, outcome, curve, learned`.
type Row = (
    i64,
    String,
    String,
    bool,
    String,
    String,
    i64,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// A run, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// Its number.
    pub(super) id: i64,
    /// Name of the drill.
    pub(super) drill: String,
    /// The drill's file as it was.
    pub(super) file: String,
    /// Whether the responder did not know which drill it is.
    pub(super) mystery: bool,
    /// Who responds; in a verification, who asked for it.
    pub(super) responder: String,
    /// How it began.
    pub(super) start: Start,
    /// Number of the last row of the journal from which something followed.
    pub(super) followed: i64,
    /// How it ended; none while it is in progress.
    pub(super) end: Option<End>,
    /// What the responder learned, Markdown.
    pub(super) learned: Option<String>,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    /// When, by the clock.
    pub(super) at: DateTime<Utc>,
    /// In one word.
    pub(super) verdict: String,
    /// 0 to 100, if it is scored.
    pub(super) score: Option<u32>,
    /// What was seen and done; none if its reset was given up.
    pub(super) outcome: Option<Outcome>,
    /// How users were served.
    pub(super) curve: Option<Sketch>,
}

/// How a person did in a drill before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Past {
    /// Name of the drill.
    pub(super) drill: String,
    /// In one word.
    pub(super) verdict: String,
    /// 0 to 100, if it was scored.
    pub(super) score: Option<u32>,
    /// Whether the solution was known from an earlier run.
    pub(super) seen: bool,
}

/// A run begins; its number.
pub(super) async fn begin(connection: &mut SqliteConnection, run: &Kept) -> Result<i64> {
    let row = sqlx::query(
        "INSERT INTO drill_runs (drill, file, mystery, responder, verify, start, followed) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&run.drill)
    .bind(&run.file)
    .bind(run.mystery)
    .bind(&run.responder)
    .bind(verifies(&run.start.mode).map(|responder| responder.to_string()))
    .bind(serde_json::to_string(&run.start)?)
    .bind(run.followed)
    .execute(connection)
    .await?;
    Ok(row.last_insert_rowid())
}

/// Something happened.
pub(super) async fn add(connection: &mut SqliteConnection, run: i64, entry: &Entry) -> Result<()> {
    sqlx::query("INSERT INTO drill_events (run, at, author, look, data) VALUES (?, ?, ?, ?, ?)")
        .bind(run)
        .bind(time::micros(entry.at))
        .bind(&entry.by)
        .bind(matches!(entry.what, Happened::Looks(_)))
        .bind(serde_json::to_string(&entry.what)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// The journal was followed up to this row.
pub(super) async fn follow(connection: &mut SqliteConnection, run: i64, seq: i64) -> Result<()> {
    sqlx::query("UPDATE drill_runs SET followed = ? WHERE id = ?")
        .bind(seq)
        .bind(run)
        .execute(connection)
        .await?;
    Ok(())
}

/// The run is over.
pub(super) async fn end(connection: &mut SqliteConnection, run: i64, end: &End) -> Result<()> {
    let outcome = end.outcome.as_ref().map(serde_json::to_string).transpose()?;
    let curve = end.curve.as_ref().map(serde_json::to_string).transpose()?;
    sqlx::query(
        "UPDATE drill_runs SET ended_at = ?, verdict = ?, score = ?, outcome = ?, curve = ? WHERE id = ?",
    )
    .bind(time::micros(end.at))
    .bind(&end.verdict)
    .bind(end.score.map(i64::from))
    .bind(outcome)
    .bind(curve)
    .bind(run)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM drill_events WHERE run = ? AND look = 1").bind(run).execute(connection).await?;
    Ok(())
}

/// Keeps what the responder learned.
pub(super) async fn learned(connection: &mut SqliteConnection, run: i64, text: &str) -> Result<()> {
    let statement = sqlx::query("UPDATE drill_runs SET learned = ? WHERE id = ?");
    statement.bind(text).bind(run).execute(connection).await?;
    Ok(())
}

/// What happened in a run, in order.
pub(super) async fn events(pool: &SqlitePool, run: i64) -> Result<Vec<Entry>> {
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT at, author, data FROM drill_events WHERE run = ? ORDER BY seq")
            .bind(run)
            .fetch_all(pool)
            .await?;
    let entries = rows.into_iter().map(|(at, by, data)| -> Result<Entry> {
        Ok(Entry { at: time::from_micros(at), by, what: serde_json::from_str(&data)? })
    });
    entries.collect()
}

/// The number of the run in progress.
pub(super) async fn open(pool: &SqlitePool) -> Result<Option<i64>> {
    let open = sqlx::query_scalar("SELECT id FROM drill_runs WHERE ended_at IS NULL");
    Ok(open.fetch_optional(pool).await?)
}

/// A run.
pub(super) async fn get(pool: &SqlitePool, run: i64) -> Result<Option<Kept>> {
    let statement = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = ?"));
    let row: Option<Row> = sqlx::query_as(statement).bind(run).fetch_optional(pool).await?;
    row.map(kept).transpose()
}

/// The newest runs that are over, of a drill or of all, newest first. One that cannot be read is left out.
pub(super) async fn ended(pool: &SqlitePool, drill: Option<&str>, limit: usize) -> Result<Vec<Kept>> {
    let statement = format!(
        "{COLUMNS} WHERE ended_at IS NOT NULL AND (?1 IS NULL OR drill = ?1) ORDER BY id DESC LIMIT ?2"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(drill)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    let readable = |row: Row| {
        let run = row.0;
        kept(row).inspect_err(|error| tracing::warn!(run, %error, "a run of a drill cannot be read")).ok()
    };
    Ok(rows.into_iter().filter_map(readable).collect())
}

/// The number of the newest run; 0 if there is none.
pub(super) async fn last(pool: &SqlitePool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM drill_runs").fetch_one(pool).await?)
}

/// Whether a run of a drill by one of these is over.
pub(super) async fn has_run(pool: &SqlitePool, drill: &str, responders: [&str; 2]) -> Result<bool> {
    let [one, other] = responders;
    let runs: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM drill_runs WHERE drill = ? AND responder IN (?, ?) AND verify IS NULL \
         AND ended_at IS NOT NULL",
    )
    .bind(drill)
    .bind(one)
    .bind(other)
    .fetch_one(pool)
    .await?;
    Ok(runs > 0)
}

/// How somebody did in drills before, oldest first.
pub(super) async fn history(pool: &SqlitePool, responder: &str) -> Result<Vec<Past>> {
    let rows: Vec<(String, String, Option<i64>, i64)> = sqlx::query_as(
        "SELECT drill, verdict, score, coalesce(json_extract(start, '$.seen'), 0) FROM drill_runs \
         WHERE responder = ? AND verify IS NULL AND ended_at IS NOT NULL ORDER BY id",
    )
    .bind(responder)
    .fetch_all(pool)
    .await?;
    let past = rows.into_iter().map(|(drill, verdict, score, seen)| {
        let (score, seen) = (score.map(points), seen != 0);
        Past { drill, verdict, score, seen }
    });
    Ok(past.collect())
}

fn kept(row: Row) -> Result<Kept> {
    let (id, drill, file, mystery, responder, start, followed, ..) = row;
    let (.., ended_at, verdict, score, outcome, curve, learned) = row;
    let end = ended_at.map(|at| -> Result<End> {
        Ok(End {
            at: time::from_micros(at),
            verdict: verdict.unwrap_or_default(),
            score: score.map(points),
            outcome: outcome.map(|text| serde_json::from_str(&text)).transpose()?,
            curve: curve.map(|text| serde_json::from_str(&text)).transpose()?,
        })
    });
    let (start, end) = (serde_json::from_str(&start)?, end.transpose()?);
    Ok(Kept { id, drill, file, mystery, responder, start, followed, end, learned })
}

fn points(score: i64) -> u32 {
    u32::try_from(score).unwrap_or_default()
}
