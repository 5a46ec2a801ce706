//! The databases of a lab, taken back to an earlier moment by `lab backup restore`, which restores beside the lab, checks the
//! result, and only then replaces anything. What was written after that moment is lost.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio::process::Command;

use super::{Outcome, time};
use crate::{
    Error, Lab, Result, Tools,
    tools::{answer_of, run},
};

/// Longest time for a restore: it reads a whole backup and checks every table.
const RESTORING: Duration = Duration::from_secs(1800);
/// Longest time to say which backup it would be.
const LOOKING: Duration = Duration::from_secs(60);
/// What is restored, as runbooks and guardrails call it.
const STORE: &str = "postgres";
/// Orders that were accepted after a moment.
const LATER: &str = "SELECT count(*) AS orders FROM orders WHERE created_at > $1::timestamptz";

/// What `lab backup plan --json` says.
#[derive(Debug, Deserialize)]
struct Plan {
    /// Id of the base.
    backup: String,
    /// Segments of the write-ahead log after it.
    segments: usize,
    /// The moment whose state comes back.
    until: DateTime<Utc>,
    /// Seconds from that moment until now.
    lost_seconds: f64,
}

/// Restores; with `dry` says which backup it would be, and what would be lost.
pub(super) async fn act(tools: &Tools, instance: &str, to: &str, dry: bool) -> Result<Vec<Outcome>> {
    let lab = lab(tools)?;
    if instance.trim().is_empty() {
        let expected = "expected the name of the instance whose data is replaced, found none".to_owned();
        return Err(Error::Wrong { field: "instance", expected });
    }
    // As one argument each: what was typed is never an option.
    let given = [format!("--to={to}"), format!("--instance={instance}")];
    if dry {
        let mut command = backup(lab, "plan");
        command.args(given).arg("--json");
        let plan: Plan = answer_of(&run(command, "lab backup plan", LOOKING).await?)?;
        return Ok(vec![Outcome::good(STORE, words(&plan, lost(tools, plan.until).await))]);
    }
    let mut command = backup(lab, "restore");
    command.args(given);
    let said = run(command, "lab backup restore", RESTORING).await?;
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Ok(vec![Outcome::good(STORE, lines.join("; "))])
}

/// Which data folder there is: another one, once it was replaced. It is known even if no server runs.
pub(super) async fn mark(tools: &Tools) -> Result<String> {
    run(backup(lab(tools)?, "data"), "lab backup data", LOOKING).await
}

/// How many orders would be lost; nothing, if the database does not answer.
async fn lost(tools: &Tools, until: DateTime<Utc>) -> Option<u64> {
    let rows = tools.sql("orders", LATER, &[until.to_rfc3339()]).await.ok()?;
    rows.first()?.get("orders")?.as_u64()
}

fn words(plan: &Plan, orders: Option<u64>) -> String {
    let Plan { backup, segments, until, lost_seconds } = plan;
    let since = time::words(Duration::try_from_secs_f64(*lost_seconds).unwrap_or_default());
    let orders = match orders {
        Some(1) => ", with 1 order".to_owned(),
        Some(count) => format!(", with {count} orders"),
        None => String::new(),
    };
    let until = until.format("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "would restore backup {backup} and {segments} segments of WAL: the state of {until}; what was written in the {since} \
         since then would be lost{orders}"
    )
}

fn lab(tools: &Tools) -> Result<&Lab> {
    let elsewhere = "on Kubernetes: deploy/deploy restore";
    tools.lab("the databases cannot be restored", elsewhere)
}

fn backup(lab: &Lab, what: &str) -> Command {
    let mut command = Command::new(&lab.program);
    command.arg("--root").arg(&lab.root).arg("--dir").arg(&lab.dir).args(["backup", what]);
    command.current_dir(&lab.root);
    command
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::*;

    /// A lab whose program writes down how it was called, and knows one backup.
    fn tools(folder: &Path) -> Tools {
        let program = folder.join("lab");
        let plan =
            r#"{"backup": "b1", "segments": 3, "until": "2026-03-01T10:15:00Z", "lost_seconds": 42.4}"#;
        let script = format!(
            "#!/bin/sh\nshift 4\necho \"$*\" >>{}/calls\ncase \"$*\" in\n\
             *--instance=other*) echo 'this lab is a/.lab, and not other' >&2; exit 1 ;;\n\
             'backup plan'*) echo '{plan}' ;;\n\
             'backup data') echo 7:21 ;;\n\
             'backup restore'*) printf '  checked: it\\nrestored in 1.0 s\\n' ;;\nesac\n",
            folder.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let lab = Lab { root: folder.into(), dir: folder.into(), program };
        Tools { lab: Some(lab), ..Tools::default() }
    }

    #[tokio::test]
    async fn a_dry_run_says_which_backup_and_what_would_be_lost_and_restores_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let tools = tools(folder.path());
        let would = act(&tools, "a/.lab", "2026-03-01T10:15:00Z", true).await.unwrap();
        assert_eq!(
            would[0].text,
            "would restore backup b1 and 3 segments of WAL: the state of 2026-03-01T10:15:00Z; what was written in the 42s \
             since then would be lost"
        );
        let calls = || fs::read_to_string(folder.path().join("calls")).unwrap();
        assert!(!calls().contains("backup restore"), "{}", calls());
        assert_eq!(mark(&tools).await.unwrap(), "7:21");

        let done = act(&tools, "a/.lab", "latest", false).await.unwrap();
        assert_eq!((done[0].ok, done[0].text.as_str()), (true, "checked: it; restored in 1.0 s"));
        assert!(calls().ends_with("backup restore --to=latest --instance=a/.lab\n"), "{}", calls());
    }

    #[tokio::test]
    async fn the_name_of_another_instance_is_refused_even_to_look() {
        let folder = tempfile::tempdir().unwrap();
        let tools = tools(folder.path());
        for dry in [true, false] {
            let refused = act(&tools, "other", "latest", dry).await.unwrap_err().to_string();
            assert!(refused.ends_with("this lab is a/.lab, and not other"), "{refused}");
        }
        let refused = act(&tools, " ", "latest", true).await.unwrap_err().to_string();
        assert!(refused.starts_with("instance: "), "{refused}");
    }

    #[test]
    fn orders_that_would_be_lost_are_counted() {
        let until = "2026-03-01T10:15:00Z".parse().unwrap();
        let plan = Plan { backup: "b1".to_owned(), segments: 1, until, lost_seconds: 90.0 };
        let text = words(&plan, Some(17));
        assert!(text.ends_with("in the 1m 30s since then would be lost, with 17 orders"), "{text}");
        assert!(words(&plan, Some(1)).ends_with(", with 1 order"));
    }
}
