//! `lab up`: checks, starts, shows, waits. `--detach` runs the same command once more in the background and watches it.

use std::{
    collections::BTreeMap,
    os::unix::process::CommandExt,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use super::secret_arguments;
use crate::{
    args,
    home::Home,
    lock::{self, Lock, Taken},
    parts::{
        Part,
        alerting::Webhooks,
        grafana::LOKI,
        table::{Choices, Kafka, table},
    },
    ports::{self, Ports, outgoing::Outgoing},
    process::ProcId,
    progress::Progress,
    ship::ship,
    state::{LabState, Phase},
    supervisor::{self, Stop, backoff::Policy, board::Board, logfile, sweep},
    terminal::say,
};

/// How much of a failing part's log is shown.
const TAIL: usize = 20;

/// Runs the command.
///
/// # Errors
/// A lab runs already, a port is taken, a program is missing, or a part did not come up.
pub(crate) async fn run(home: &Home, up: args::Up) -> Result<ExitCode> {
    secret_arguments::hide()?;
    // Whatever this process and its children write is for its owner alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let outgoing = Outgoing::here();
    let ports = Ports::choose(up.port_offset, &up.ports, &outgoing)?;
    home.create()?;
    if up.detach && !up.background {
        return detach(home).await;
    }
    let lock = lock(home)?;
    ports.warnings(&outgoing).iter().for_each(say);
    let ended = sweep::sweep(home).await?;
    if ended > 0 {
        say(format!("lab: ended {ended} processes of a lab that was killed"));
    }
    let choices = Choices {
        ports,
        kafka: kafka(&up),
        rate: (!up.no_load).then_some(up.rate),
        trace_ratio: up.trace_ratio,
        reveal: up.reveal,
        token: home.token.clone(),
        event_keys: up.event_keys,
        keep_metrics: up.keep_metrics,
        webhooks: Webhooks { generic: up.webhook, slack: up.slack_webhook },
    };
    let parts = table(home, &choices)?;
    check_ports(&parts)?;
    let outcome = supervise(home, parts, up.background).await;
    LabState::remove(home)?;
    drop(lock);
    outcome?;
    say("lab: stopped");
    Ok(ExitCode::SUCCESS)
}

fn kafka(up: &args::Up) -> Kafka {
    match (&up.kafka_brokers, up.kafka) {
        (Some(brokers), _) if !brokers.is_empty() => Kafka::Elsewhere(brokers.clone()),
        (_, args::Broker::Embedded) => Kafka::Embedded,
        (_, args::Broker::Apache) => Kafka::Apache,
    }
}

/// Taken for as long as the supervisor lives.
fn lock(home: &Home) -> Result<Lock> {
    match lock::take_or_make(home)? {
        Some(Taken::Ours(lock)) => Ok(lock),
        Some(Taken::By(_)) => bail!(
            "a lab already runs in {}: see `lab status`, stop it with `lab down`, or use another --dir",
            home.dir.display()
        ),
        None => bail!("{} has gone", home.dir.display()),
    }
}

fn check_ports(parts: &[Part]) -> Result<()> {
    let wanted = parts.iter().flat_map(|part| {
        part.ports.iter().map(|(name, number)| (name.as_str(), *number, part.name.as_str()))
    });
    ports::check_free(wanted)
}

async fn supervise(home: &Home, parts: Vec<Part>, background: bool) -> Result<()> {
    let board = Board::new(home, &parts);
    let stop = Stop::default();
    tokio::spawn(listen(stop.clone(), background));
    tokio::spawn(show(board.clone(), background));
    let loki = parts.iter().find_map(|part| part.ports.get(LOKI)).copied();
    // Ends with this process, as the parts do.
    loki.map(|port| tokio::spawn(ship(home.clone(), port)));
    let outcome = supervisor::run(home, parts, &board, Policy::default(), &stop).await;
    if outcome.is_err() && !background {
        report_failure(&board.now());
    }
    outcome
}

/// Turns signals into wishes: the first stops in order, the second at once.
async fn listen(stop: Stop, background: bool) {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            // A lab in the background outlives the terminal that started it.
            _ = hangup.recv() => if background { continue },
        }
        if stop.gently.is_cancelled() {
            stop.now.cancel();
        } else {
            say("\nlab: stopping (once more to kill)");
            stop.gently.cancel();
        }
    }
}

async fn show(board: Board, background: bool) {
    let mut states = board.watch();
    let mut progress = if background { Progress::plain() } else { Progress::new() };
    let mut told = false;
    loop {
        let state = states.borrow_and_update().clone();
        progress.show(&state);
        if state.phase == Phase::Ready && !told {
            told = true;
            progress.finish();
            progress = Progress::plain();
            progress.silently(&state);
            welcome(&state, background);
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

fn welcome(state: &LabState, detached: bool) {
    let seconds = Duration::from_millis(state.ready_ms.unwrap_or_default()).as_secs_f64();
    say(format!("ready in {seconds:.2} s"));
    let url = |name| state.port(name).map(|port| format!("http://localhost:{port}"));
    let places: BTreeMap<&str, Option<String>> = BTreeMap::from([
        ("order-api", url("order-api")),
        ("user-service", url("user-service")),
        ("Prometheus", url("prometheus")),
        ("Traces", url("traces-ui")),
        ("Grafana", url("grafana")),
    ]);
    for (name, url) in places {
        if let Some(url) = url {
            say(format!("  {name:13} {url}"));
        }
    }
    say("break something: lab break order-api http-error rate=0.2 ttl=5m");
    say("be paged:        lab pages --follow");
    say(format!("stop:            {}", if detached { "lab down" } else { "Ctrl-C" }));
}

fn report_failure(state: &LabState) {
    let Phase::Failed { part, .. } = &state.phase else { return };
    let Some(part) = state.part(part) else { return };
    say(format!("\nlast lines of {}:", part.log.display()));
    for line in logfile::tail(&part.log, TAIL) {
        say(format!("  {line}"));
    }
}

/// Starts the same command in the background and returns when its lab is ready, or when it gave up.
async fn detach(home: &Home) -> Result<ExitCode> {
    // Taken and released at once: the answer of a lab that runs already must not be read as that of the new one.
    drop(lock(home)?);
    let log = home.log("lab");
    logfile::start_over(&log);
    let output = logfile::open(&log)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--background")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .context("cannot start the lab in the background")?;
    let supervisor = ProcId::of(child.id());
    let mut progress = Progress::new();
    let mut failed = None;
    loop {
        // An unreadable state is the one of another version: the new supervisor is about to replace it.
        let state = LabState::load(home).ok().flatten();
        if let Some(state) = state.filter(|state| Some(state.supervisor) == supervisor) {
            progress.show(&state);
            match state.phase {
                Phase::Ready => {
                    progress.finish();
                    welcome(&state, true);
                    return Ok(ExitCode::SUCCESS);
                }
                Phase::Failed { .. } => failed = Some(state),
                Phase::Starting | Phase::Stopping => {}
            }
        }
        if let Some(status) = child.try_wait()? {
            progress.finish();
            return Ok(give_up(home, failed.as_ref(), status));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn give_up(home: &Home, failed: Option<&LabState>, status: std::process::ExitStatus) -> ExitCode {
    if let Some(state) = failed {
        report_failure(state);
    }
    // Its last words say why; the lines about single parts were shown already.
    let log = logfile::tail(&home.log("lab"), TAIL);
    let words: Vec<_> = log.iter().skip_while(|line| !line.starts_with("lab: ")).collect();
    for line in words {
        say(line);
    }
    say(format!("lab: the lab did not come up ({status})"));
    ExitCode::FAILURE
}
