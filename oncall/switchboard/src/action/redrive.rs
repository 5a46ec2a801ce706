//! Dead letters, put back on their topic by the service's own command, with the environment of its process:
//! it knows the broker and the keys. With a limit of 0 the same command only counts them.

use std::time::Duration;

use tokio::process::Command;

use super::Outcome;
use crate::{Error, Place, Result, Tools, tools};

/// Longest time for the command.
const PATIENCE: Duration = Duration::from_secs(90);
/// Letters that are moved unless somebody says otherwise: as many as the command itself moves.
const USUAL: u32 = 1000;

/// What the command says: moved, of unknown origin, left.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    moved: u64,
    unknown: u64,
    left: u64,
}

pub(super) async fn act(
    place: &Place,
    tools: &Tools,
    target: &str,
    most: Option<u32>,
    dry: bool,
) -> Result<Vec<Outcome>> {
    let most = most.unwrap_or(USUAL);
    let limit = if dry { "0".to_owned() } else { most.to_string() };
    let said = match place {
        Place::Kubernetes(cluster) => {
            let pods = cluster.meant(target).await?;
            let pod = pods.first().ok_or_else(|| Error::NoPod(target.to_owned(), String::new()))?;
            let program = format!("/{}", pod.service);
            cluster.exec(pod, &[program.as_str(), "redrive", "--limit", limit.as_str()]).await
        }
        Place::Here(_) => here(tools, target, &limit).await,
    };
    let said = match said {
        Err(Error::Lab(said) | Error::Kubectl(said)) if has_no_such_command(&said) => {
            return Ok(vec![Outcome::bad(target, "it consumes no messages, so it has no dead letters")]);
        }
        said => said?,
    };
    let report = said.lines().rev().find_map(read);
    let report = report.ok_or_else(|| Error::Lab(format!("{target} redrive: it did not say what it did")))?;
    Ok(vec![Outcome::good(target, words(&report, most, dry))])
}

/// Runs the command of a service of the lab on this machine.
async fn here(tools: &Tools, target: &str, limit: &str) -> Result<String> {
    let what = format!("the dead letters of {target} cannot be put back");
    let elsewhere =
        format!("elsewhere run `{target} redrive --limit {USUAL}` where it runs, with its settings");
    let lab = tools.lab(&what, &elsewhere)?;
    let parts = lab.state()?.services(target)?;
    let running = parts.iter().find_map(|part| Some((part, part.process.filter(|process| process.alive())?)));
    let Some((part, process)) = running else {
        let next = "the lab starts it again by itself: see `lab status`, then try once more";
        return Err(Error::not_here(format!("{target} does not run"), next));
    };
    let unknown = || Error::not_here(format!("{what}: the system does not tell its settings"), &elsewhere);
    let found = process.command().ok_or_else(unknown)?;
    let mut command = Command::new(found.program);
    command.args(["redrive", "--limit", limit]).env_clear().envs(found.environment).current_dir(&lab.dir);
    tools::run(command, &format!("{} redrive", part.name), PATIENCE).await
}

fn has_no_such_command(said: &str) -> bool {
    ["unrecognized subcommand", "unexpected argument"].iter().any(|words| said.contains(words))
}

/// Reads `moved 3, of unknown origin 0, left 12`.
fn read(line: &str) -> Option<Report> {
    let rest = line.trim().strip_prefix("moved ")?;
    let (moved, rest) = rest.split_once(", of unknown origin ")?;
    let (unknown, left) = rest.split_once(", left ")?;
    Some(Report { moved: moved.parse().ok()?, unknown: unknown.parse().ok()?, left: left.parse().ok()? })
}

fn words(report: &Report, most: u32, dry: bool) -> String {
    let Report { moved, unknown, left } = *report;
    if dry {
        return match left {
            0 => "no dead letter waits: nothing to put back".to_owned(),
            left => format!("{} of {} would be put back", left.min(u64::from(most)), letters(left)),
        };
    }
    let stay = match unknown {
        0 => String::new(),
        unknown => format!("; {} of unknown origin or without a body stay", letters(unknown)),
    };
    format!("put {} back, {left} are left{stay}", letters(moved))
}

fn letters(count: u64) -> String {
    if count == 1 { "1 dead letter".to_owned() } else { format!("{count} dead letters") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_own_words_are_read_from_among_its_log_lines() {
        let printed = "{\"message\":\"connected\"}\nmoved 3, of unknown origin 1, left 12\n{}";
        let report = printed.lines().rev().find_map(read).unwrap();
        assert_eq!(report, Report { moved: 3, unknown: 1, left: 12 });
        assert_eq!(
            words(&report, 3, false),
            "put 3 dead letters back, 12 are left; 1 dead letter of unknown origin or without a body stay"
        );
        assert_eq!(words(&report, 10, true), "10 of 12 dead letters would be put back");
        assert_eq!(read("moved all"), None);
        let none = Report { moved: 0, unknown: 0, left: 0 };
        assert!(words(&none, 10, true).contains("nothing to put back"));
    }

    #[test]
    fn a_service_without_the_command_has_no_letters() {
        assert!(has_no_such_command("user-service redrive: error: unrecognized subcommand 'redrive'"));
        assert!(!has_no_such_command("order-worker redrive: the broker does not answer"));
    }
}
