//! `lab slo reset`: makes the next measurement independent of the last outage (docs/adr/0008-slo-reset.md).

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use observe::{Alertmanager, Prometheus, prometheus::Labels};
use rustix::process::Signal;
use slo::{Clock, Slo};
use supervisor::probe::Probe;
use tokio::time::{Instant, sleep};

use super::objectives;
use crate::{
    home::Home,
    installation::Installation,
    parts::forget::{self, Deletion},
    terminal::out,
};

/// Beside two evaluations of the slow rules: the others need two scrapes and one evaluation.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time for a restart: Prometheus stops, a second one deletes, and the first reads all that is left.
const RESTART: Duration = Duration::from_secs(180);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Deletes from Prometheus what the objectives recorded, and from the series that they count and the states of their
/// alerts the time span that a page looks back at. Everything else stays, including other alerts. Prometheus is
/// restarted, which takes a few seconds. Burning alerts end, and a resolve is sent for each. Afterwards every budget is
/// full and no window contains the last outage. Windows are short until they have filled again, so an alert reacts
/// sooner than theory for the first minutes. Fails while something still burns: end the fault first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab fix && lab slo reset")]
pub(crate) struct Reset {
    /// Wait only until the rules of pages have data again; those of budgets and tickets follow within seconds.
    #[arg(long)]
    pages: bool,
}

impl Reset {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home, place: &Installation) -> Result<ExitCode> {
        let slos = objectives(home)?;
        let (prometheus, alertmanager) = (place.prometheus().await?, place.alertmanager().await?);
        let awaited = if self.pages { pages(home.clock()) } else { BUDGETS.to_owned() };
        let before = reset(home, &prometheus, &alertmanager, &slos, &awaited).await?;
        out!(
            "the budgets of {} objectives are full again, and the last {} of what they count is forgotten",
            slos.len(),
            slo::window::humane(look_back(home.clock()).as_secs_f64())
        );
        if before > 0 {
            out!("{before} burning alerts have ended because of the reset");
        }
        let [fast, slow, ..] = home.clock().pairs();
        out!(
            "an alert reacts sooner than theory says until its long window has filled: the first pages after {} and {}",
            fast.long,
            slow.long
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// The longest window that is computed from the services' own series, plus a margin.
fn look_back(clock: Clock) -> Duration {
    Duration::from_secs(clock.pairs()[1].long.as_secs() + 30)
}

/// The same for other commands that measure.
///
/// # Errors
/// As [`reset`], and when a spec is not sound.
pub(crate) async fn start_over(
    home: &Home,
    prometheus: &Prometheus,
    alertmanager: &Alertmanager,
) -> Result<()> {
    let slos = objectives(home)?;
    reset(home, prometheus, alertmanager, &slos, BUDGETS).await?;
    Ok(())
}

/// What the slow rules record last of an objective.
pub(super) const BUDGETS: &str = "slo:error_budget_remaining:ratio";

/// What the rules of pages record of an objective.
fn pages(clock: Clock) -> String {
    format!("slo:sli_error:ratio_rate{}", clock.base())
}

/// Forgets, and waits until the rules show it by recording `awaited`. Returns how many alerts were firing before.
///
/// # Errors
/// When Prometheus does not forget, or when something still burns afterwards.
pub(super) async fn reset(
    home: &Home,
    prometheus: &Prometheus,
    alertmanager: &Alertmanager,
    slos: &[Slo],
    awaited: &str,
) -> Result<usize> {
    let before = burning(prometheus).await?.len();
    let (now, clock) = (Utc::now(), home.clock());
    let mut raw: Vec<_> =
        slos.iter().flat_map(|slo| slo.sli.selectors()).map(|series| series.to_string()).collect();
    raw.sort();
    raw.dedup();
    let deletions = [
        Deletion { series: raw, from: now - look_back(clock) },
        // This restart is intended: no ticket may say that a process was restarted.
        Deletion { series: vec![OWN_START.to_owned()], from: now - look_back(clock) },
        Deletion { series: vec![STATES.to_owned()], from: now - look_back(clock) },
        Deletion { series: vec![RECORDED.to_owned()], from: DateTime::UNIX_EPOCH },
    ];
    restart_without(home, prometheus, &deletions).await?;
    let left = prometheus.query_at(&format!("count({RECORDED})"), now - Duration::from_secs(1)).await?;
    if left.first().and_then(observe::prometheus::Sample::value).unwrap_or_default() > 0.0 {
        bail!("Prometheus has not forgotten; why: lab logs --service prometheus --since 5m");
    }
    recorded_again(prometheus, slos, awaited, now, clock).await?;
    // Prometheus no longer knows that it sent this alert, so nothing else would resolve it.
    let mut told = alertmanager.alerts().await?;
    told.retain(|alert| of_objective(&alert.labels));
    alertmanager.end(&told).await?;
    Ok(before)
}

/// Everything that the objectives record.
const RECORDED: &str = "{__name__=~\"slo:.+\"}";

/// The states of their alerts. A Prometheus that starts does not end what an earlier one has recorded: for five minutes, dashboards
/// would show alerts that have ended.
const STATES: &str = "{__name__=~\"ALERTS|board:alerts:active\", slo=~\".+\"}";

/// When Prometheus was started, according to itself.
const OWN_START: &str = "process_start_time_seconds{job=\"prometheus\"}";

/// Stops Prometheus; its supervisor makes the deletions and restarts it.
async fn restart_without(home: &Home, prometheus: &Prometheus, deletions: &[Deletion]) -> Result<()> {
    let state = home.lab()?;
    if !state.supervisor.alive() {
        bail!("the supervisor was killed, and it has to restart Prometheus: `lab up` recovers");
    }
    let process =
        state.part("prometheus").and_then(|part| part.process).context("prometheus does not run")?;
    forget::ask(home, deletions)?;
    process.signal(Signal::TERM);
    let deadline = Instant::now() + RESTART;
    let ready = Probe::Http(format!("{}/-/ready", prometheus.base()));
    while forget::asked(home) || process.alive() || ready.ask().await.is_err() {
        if Instant::now() > deadline {
            bail!("Prometheus is not back after {} s: see lab status", RESTART.as_secs());
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until every objective has data again and nothing burns.
async fn recorded_again(
    prometheus: &Prometheus,
    slos: &[Slo],
    awaited: &str,
    now: DateTime<Utc>,
    clock: Clock,
) -> Result<()> {
    let slow = Duration::from_secs(clock.slow_evaluation().as_secs());
    let deadline = Instant::now() + PATIENCE + 2 * slow;
    loop {
        let burning = burning(prometheus).await?;
        // Evaluated after the deletion, whatever else has failed since.
        let recorded = format!("count(timestamp({awaited}) > {})", now.timestamp());
        let ready = prometheus.value(&recorded).await?.unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a handful of objectives")]
        let all = ready >= slos.len() as f64;
        if burning.is_empty() && all {
            return Ok(());
        }
        if Instant::now() > deadline {
            match burning.is_empty() {
                true => bail!(
                    "forgotten, but only {ready} of {} objectives have data again: is there traffic?",
                    slos.len()
                ),
                false => bail!(
                    "still burning: {}. End the fault first (`lab fix`), then reset",
                    burning.join(", ")
                ),
            }
        }
        sleep(LOOK).await;
    }
}

/// Names of the objectives that have a firing alert.
async fn burning(prometheus: &Prometheus) -> Result<Vec<String>> {
    let all = prometheus.alerts().await?.into_iter();
    let own = all.filter(|alert| alert.state == "firing" && of_objective(&alert.labels));
    let mut names: Vec<_> = own.filter_map(|mut alert| alert.labels.remove("slo")).collect();
    names.sort();
    Ok(names)
}

/// Whether this is an alert of an objective: only those have this label.
fn of_objective(labels: &Labels) -> bool {
    labels.contains_key("slo")
}
