//! The primary of a lab's PostgreSQL is fenced and its replica promoted, by `lab failover`. It weighs what would be lost, and
//! no force makes it promote beside a primary that could still write.

use std::time::Duration;

use tokio::process::Command;

use super::Outcome;
use crate::{Error, Lab, Result, Tools, tools::run};

/// Longest time for a failover: for its steps, for the services, and for a new replica.
const FAILING_OVER: Duration = Duration::from_secs(300);
/// Longest time to say what it would do.
const LOOKING: Duration = Duration::from_secs(20);
/// What fails over, as runbooks and guardrails call it.
const STORE: &str = "postgres";

/// Fails over; with `dry` says from what to what, and what would be lost.
pub(super) async fn act(tools: &Tools, instance: &str, force: bool, dry: bool) -> Result<Vec<Outcome>> {
    let elsewhere = "on Kubernetes an operator does it: deploy/cloudnative-pg";
    let lab = tools.lab("no database fails over", elsewhere)?;
    if instance.trim().is_empty() {
        let expected = "expected the name of the instance that fails over, found none".to_owned();
        return Err(Error::Wrong { field: "instance", expected });
    }
    let mut command = failover(lab);
    // As one argument: what was typed is never an option.
    command.arg(format!("--instance={instance}"));
    command.args(force.then_some("--force"));
    let within = if dry {
        command.arg("--dry-run");
        LOOKING
    } else {
        FAILING_OVER
    };
    let said = run(command, "lab failover", within).await?;
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Ok(vec![Outcome::good(STORE, lines.join("; "))])
}

fn failover(lab: &Lab) -> Command {
    let mut command = Command::new(&lab.program);
    command.arg("--root").arg(&lab.root).arg("--dir").arg(&lab.dir).arg("failover");
    command.current_dir(&lab.root);
    command
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[tokio::test]
    async fn a_dry_run_changes_nothing_and_a_loss_is_accepted_only_if_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("lab");
        let script = format!(
            "#!/bin/sh\nshift 4\necho \"$*\" >>{}/calls\ncase \"$*\" in\n\
             *--instance=other*) echo 'this lab is a/.lab, and not other' >&2; exit 1 ;;\nesac\n\
             printf '  no primary for 1.0 s\\nnothing is lost\\n'\n",
            folder.path().display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let lab = Lab { root: folder.path().into(), dir: folder.path().into(), program };
        let tools = Tools { lab: Some(lab), ..Tools::default() };
        let done = act(&tools, "a/.lab", true, false).await.unwrap();
        assert_eq!(done, [Outcome::good("postgres", "no primary for 1.0 s; nothing is lost")]);
        act(&tools, "a/.lab", false, true).await.unwrap();
        let refused = act(&tools, "other", true, false).await.unwrap_err().to_string();
        assert!(refused.ends_with("this lab is a/.lab, and not other"), "{refused}");
        let refused = act(&tools, " ", true, false).await.unwrap_err().to_string();
        assert!(refused.starts_with("instance: "), "{refused}");
        assert_eq!(
            fs::read_to_string(folder.path().join("calls")).unwrap(),
            "failover --instance=a/.lab --force\nfailover --instance=a/.lab --dry-run\nfailover --instance=other --force\n"
        );
    }
}
