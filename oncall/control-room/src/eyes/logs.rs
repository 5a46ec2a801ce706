//! Log lines: from Loki where it runs, otherwise from the files of a lab on this machine. A read is bounded: the newest
//! lines of Loki, or the last megabytes of each file.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use observe::{
    Peer,
    logs::{self, LEVELS, Line, Loki, access::Requests},
};
use url::Url;

use super::within;
use crate::error::{Error, Result};

/// What is read of the end of each file.
const TAIL: u64 = 2 << 20;
/// Largest answer of Loki.
const MOST: usize = 5000;

/// Where lines come from. Cheap to clone.
#[derive(Clone)]
pub struct Logs(Arc<Origin>);

enum Origin {
    Loki(Loki),
    Folder(PathBuf),
    Nowhere,
}

/// Which lines are wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Of these services; of all if none is named. A service's further instances belong to it.
    pub services: Vec<String>,
    /// Of this level and the more severe ones.
    pub level: Option<String>,
    /// Only with this text.
    pub text: Option<String>,
    /// Only of this trace.
    pub trace: Option<String>,
    /// Not older than this.
    pub since: DateTime<Utc>,
    /// The newest lines, at most this number.
    pub limit: usize,
}

impl Logs {
    pub(super) fn new(loki: Option<&Url>, folder: Option<&Path>) -> Self {
        Self(Arc::new(match (loki, folder) {
            (Some(url), _) => Origin::Loki(Loki::at(Peer::at(url.as_str()))),
            (None, Some(folder)) => Origin::Folder(folder.to_owned()),
            (None, None) => Origin::Nowhere,
        }))
    }

    /// The newest wanted lines, the newest last.
    ///
    /// # Errors
    /// When the level does not exist, or the lines cannot be read; says where they were looked for.
    pub async fn lines(&self, wanted: &Wanted) -> Result<Vec<Line>> {
        let level = wanted.level.as_deref().map(severity).transpose()?;
        let lines = match &*self.0 {
            Origin::Loki(loki) => asked(loki, wanted, level).await?,
            Origin::Folder(folder) => {
                let (folder, services) = (folder.clone(), wanted.services.clone());
                let read = tokio::task::spawn_blocking(move || tails(&folder, &services));
                read.await.map_err(|error| Error::Elsewhere(error.to_string()))??
            }
            Origin::Nowhere => {
                return Err(Error::Elsewhere("no logs: set LOKI_URL, or LOGS_DIR for log files".to_owned()));
            }
        };
        Ok(newest(lines, wanted, level))
    }
}

async fn asked(loki: &Loki, wanted: &Wanted, level: Option<usize>) -> Result<Vec<Line>> {
    let query = logs::Wanted {
        services: &wanted.services,
        text: wanted.trace.as_deref().or(wanted.text.as_deref()),
        requests: &Requests::With,
    };
    let pattern = level.and_then(|level| PATTERNS.get(level).copied());
    let limit = if level.is_some() { MOST } else { wanted.limit.min(MOST) };
    within("Loki", loki.newest(query, pattern, wanted.since, limit)).await
}

/// What every line of a level has somewhere, in the formats of all parts: the rest is decided by the parsed level.
const PATTERNS: [&str; 2] = ["(?i)(error|fatal|panic|crit)", "(?i)(error|fatal|panic|crit|warn| # )"];

/// 0 for the most severe.
fn severity(level: &str) -> Result<usize> {
    let known = LEVELS.iter().position(|known| known.eq_ignore_ascii_case(level));
    known.ok_or_else(|| Error::field("level", format!("one of {}, found `{level}`", LEVELS.join(", "))))
}

fn newest(mut lines: Vec<Line>, wanted: &Wanted, level: Option<usize>) -> Vec<Line> {
    let has = |line: &Line, text: &Option<String>| text.as_ref().is_none_or(|text| line.text.contains(text));
    lines.retain(|line| {
        let severe =
            level.is_none_or(|level| LEVELS.iter().take(level + 1).any(|known| *known == line.level));
        severe && line.time >= wanted.since && has(line, &wanted.text) && has(line, &wanted.trace)
    });
    lines.sort_by_key(|line| line.time);
    lines.split_off(lines.len().saturating_sub(wanted.limit))
}

/// Whether a part belongs to a service: `order-api-2` is a further instance of order-api.
fn belongs(part: &str, service: &str) -> bool {
    let further = part.strip_prefix(service).and_then(|rest| rest.strip_prefix('-'));
    part == service
        || further.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// The ends of the files of these services, or of all.
fn tails(folder: &Path, services: &[String]) -> Result<Vec<Line>> {
    let missing = |error| Error::Elsewhere(format!("no logs in {}: {error}", folder.display()));
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).map_err(missing)?.flatten() {
        let name = entry.file_name();
        let Some(part) = name.to_str().and_then(|name| name.strip_suffix(".log")) else { continue };
        if services.is_empty() || services.iter().any(|service| belongs(part, service)) {
            // A file that vanishes meanwhile has no lines.
            lines.extend(tail(part, &entry.path()).unwrap_or_default());
        }
    }
    Ok(lines)
}

fn tail(part: &str, path: &Path) -> std::io::Result<Vec<Line>> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line may be cut.
    let whole = if start == 0 { &*text } else { text.split_once('\n').map_or("", |(_, rest)| rest) };
    let mut time = DateTime::<Utc>::UNIX_EPOCH;
    let parse = |text: &str| {
        let line = logs::parse(part, text, time);
        time = line.time;
        line
    };
    Ok(whole.lines().filter(|text| !text.trim().is_empty()).map(parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(second: u32, level: &str, message: &str) -> String {
        format!(
            "{{\"timestamp\":\"2026-06-01T12:00:{second:02}Z\",\"level\":\"{level}\",\"message\":\"{message}\"}}\n"
        )
    }

    fn wanted(services: &[&str]) -> Wanted {
        Wanted {
            services: services.iter().map(|&name| name.to_owned()).collect(),
            level: None,
            text: None,
            trace: None,
            since: "2026-06-01T12:00:01Z".parse().unwrap(),
            limit: 10,
        }
    }

    async fn read(logs: &Logs, wanted: &Wanted) -> Vec<String> {
        logs.lines(wanted).await.unwrap().into_iter().map(|line| line.message).collect()
    }

    #[tokio::test]
    async fn lines_of_files_are_those_of_the_service_the_level_and_the_time_newest_last() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write(
            "order-api.log",
            line(0, "ERROR", "too old") + &line(3, "ERROR", "b") + &line(2, "INFO", "calm"),
        );
        write("order-api-2.log", line(1, "WARN", "a"));
        write("order-api-old.log", line(5, "ERROR", "another part"));
        let logs = Logs::new(None, Some(folder.path()));
        assert_eq!(read(&logs, &wanted(&["order-api"])).await, ["a", "calm", "b"]);
        let warnings = Wanted { level: Some("warn".to_owned()), ..wanted(&["order-api"]) };
        assert_eq!(read(&logs, &warnings).await, ["a", "b"]);
        let one = Wanted { limit: 1, ..wanted(&[]) };
        assert_eq!(read(&logs, &one).await, ["another part"]);
        let text = Wanted { text: Some("calm".to_owned()), ..wanted(&[]) };
        assert_eq!(read(&logs, &text).await, ["calm"]);
        let wrong = Wanted { level: Some("loud".to_owned()), ..wanted(&[]) };
        assert!(logs.lines(&wrong).await.unwrap_err().to_string().contains("found `loud`"));
    }

    #[tokio::test]
    async fn only_the_end_of_a_large_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let many = "x".repeat(1 << 20) + "\n";
        let text = format!("{}{}{}{}", line(2, "INFO", "first"), many, many, line(3, "INFO", "last"));
        fs::write(folder.path().join("order-api.log"), text).unwrap();
        let read = read(&Logs::new(None, Some(folder.path())), &wanted(&[])).await;
        assert_eq!(read, ["last"]);
    }

    #[tokio::test]
    async fn without_a_source_the_error_says_what_to_set() {
        let error = Logs::new(None, None).lines(&wanted(&[])).await.unwrap_err();
        assert!(error.to_string().contains("LOKI_URL"), "{error}");
    }
}
