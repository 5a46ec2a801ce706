//! `lab slo detect`: measures the time from the fault to the page, and from its end to the resolve, in a running lab.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use observe::{Alertmanager, ControlRoom, Prometheus, control_room::Page};
use slo::{Clock, Pair, Slo, theory, window::percent};
use switchboard::Replica;
use tokio::time::{Instant, sleep};

use super::{objective, objectives, reset};
use crate::{
    home::Home,
    installation::{Installation, Reached},
    terminal::{json, out, say},
};

/// The fault to inject.
const FAULT: &str = "http-error";
/// The objective of order-api that it breaks.
const SLO: &str = "order-availability";
/// How much later than theory a page may come, in seconds: scrape, evaluation and notification take time.
const LATE: f64 = 3.0;
/// How much later than theory a resolve may come, in seconds.
const LATE_END: f64 = 5.0;
/// How much longer than theory to wait before a page counts as lost, in seconds.
const LOST: f64 = 30.0;
/// Pause between two looks at the pages.
const LOOK: Duration = Duration::from_millis(50);

/// Injects errors into the order routes with the fault http-error, and measures the first page (long_window=1m) in
/// the control room: from the injection to the notification, and from the end of the fault to the resolve. Each row begins
/// with `lab slo reset` and a minute of health, which fills the window. Exits with 1 if a page comes more than 3 s
/// later than theory, or a resolve more than 5 s. A fault strikes at random: theory uses the error ratio that was
/// measured. Only on the lab's clock.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo detect                        100 %, 10 % and 2 %: about six minutes\n  \
    lab slo detect --ratio 100%           one row\n  \
    lab slo detect --json > measured.json")]
pub(crate) struct Detect {
    /// Share of the requests that fail, such as 10% or 0.1; may be repeated.
    #[arg(long = "ratio", value_name = "RATIO", value_delimiter = ',', default_values = ["100%", "10%", "2%"], value_parser = ratio)]
    ratios: Vec<f64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One measurement; all times in seconds.
#[derive(Debug, serde::Serialize)]
struct Row {
    ratio: f64,
    reached: f64,
    theory: f64,
    theory_reached: f64,
    measured: f64,
    end_theory: f64,
    end_measured: f64,
    in_time: bool,
}

/// State of a measurement.
struct Bench {
    home: Home,
    prometheus: Reached<Prometheus>,
    alertmanager: Reached<Alertmanager>,
    room: Reached<ControlRoom>,
    service: Replica,
    slos: Vec<Slo>,
    slo: Slo,
    pair: Pair,
}

impl Detect {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home, place: &Installation) -> Result<ExitCode> {
        let bench = Bench::of(home, place).await?;
        let mut rows = Vec::new();
        for ratio in self.ratios {
            let row = bench.measure(ratio).await;
            // Even after a failure, leave no fault behind.
            let repaired = bench.repair().await;
            rows.push(row?);
            repaired?;
        }
        let in_time = rows.iter().all(|row| row.in_time);
        if self.json {
            json(&rows)?;
        } else {
            print(&rows);
        }
        Ok(if in_time { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Bench {
    async fn of(home: &Home, place: &Installation) -> Result<Self> {
        if home.clock() != Clock::Lab {
            bail!(
                "`lab slo detect` measures on the lab's clock, and this lab runs on the production clock, where each row would \
                 take an hour of health before its fault: start it with `lab up --clock lab`"
            );
        }
        let slos = objectives(home)?;
        let service = place.replicas(Some("order-api")).await?.pop().context("order-api does not run")?;
        Ok(Self {
            home: home.clone(),
            prometheus: place.prometheus().await?,
            alertmanager: place.alertmanager().await?,
            room: place.control_room().await?,
            service,
            slo: objective(slos.clone(), SLO)?,
            slos,
            pair: Clock::Lab.pairs()[0],
        })
    }

    async fn measure(&self, ratio: f64) -> Result<Row> {
        let Some(expected) = theory::detection(&self.pair, self.slo.budget(), ratio) else {
            bail!(
                "{} errors never page: the threshold is {}",
                percent(ratio),
                percent(theory::threshold(&self.pair, self.slo.budget()))
            );
        };
        say(format_args!("{}: reset, then {} of health", percent(ratio), self.pair.long));
        reset::reset(&self.home, &self.prometheus, &self.alertmanager, &self.slos, reset::BUDGETS).await?;
        self.health().await?;

        let seen = self.last_page().await?;
        let began = Utc::now();
        let parameters = [("rate".to_owned(), ratio.to_string()), ("ttl".to_owned(), "10m".to_owned())];
        self.service.set_fault(FAULT, &parameters).await?;
        say(format_args!("{}: injected; theory says {expected:.2} s", percent(ratio)));
        let page = self.page(seen, "firing", began, expected + LOST).await?;
        let reached = self.reached(began, page.starts_at.unwrap_or(page.received_at)).await?.unwrap_or(ratio);
        let measured = seconds(page.received_at - began);
        say(format_args!("{}: paged after {measured:.2} s", percent(ratio)));

        // The theory of a reset assumes that the short window is full of errors.
        let full = began + chrono::Duration::seconds(i64::try_from(self.pair.short.as_secs())? + 2);
        sleep((full - Utc::now()).to_std().unwrap_or_default()).await;
        let ended = Utc::now();
        self.repair().await?;
        let end_theory = theory::reset(&self.pair, self.slo.budget(), ratio).unwrap_or_default();
        let resolve = self.page(seen, "resolved", ended, end_theory + LOST).await?;
        let end_measured = seconds(resolve.received_at - ended);
        say(format_args!("{}: resolved after {end_measured:.2} s", percent(ratio)));

        // Chance may keep the ratio below the threshold, which has no theory; then use the ratio that was asked for.
        let theory_reached = theory::detection(&self.pair, self.slo.budget(), reached).unwrap_or(expected);
        let in_time =
            measured <= expected.max(theory_reached) + LATE && end_measured <= end_theory + LATE_END;
        Ok(Row {
            ratio,
            reached,
            theory: expected,
            theory_reached,
            measured,
            end_theory,
            end_measured,
            in_time,
        })
    }

    async fn repair(&self) -> Result<()> {
        Ok(self.service.end_fault(FAULT).await?)
    }

    /// Waits until the long window is full and has no errors.
    async fn health(&self) -> Result<()> {
        sleep(Duration::from_secs(self.pair.long.as_secs() + 3)).await;
        let name = &self.slo.name;
        let burn = self.prometheus.value(&format!("slo:current_burn_rate:ratio{{slo=\"{name}\"}}")).await?;
        match burn {
            Some(burn) if burn < 1.0 => Ok(()),
            Some(burn) => bail!(
                "{name} burns {burn:.1} times too fast before anything was injected: see `lab faults`, `lab alerts`"
            ),
            None => bail!("Prometheus has no burn rate of {name}: does the load run? see `lab status`"),
        }
    }

    async fn last_page(&self) -> Result<u64> {
        Ok(self.room.pages(0).await?.last().map(|page| page.id).unwrap_or_default())
    }

    /// Waits at most `patience` seconds from `since` for the notification of the first window pair with this status.
    async fn page(&self, after: u64, status: &str, since: DateTime<Utc>, patience: f64) -> Result<Page> {
        let deadline = Instant::now() + Duration::from_secs_f64(patience);
        let alert = self.slo.alert();
        loop {
            let wanted = |page: &Page| {
                page.status.as_deref() == Some(status)
                    && page.alertname.as_deref() == Some(&alert)
                    && page.labels.get("long_window") == Some(&self.pair.long.to_string())
                    && page.received_at >= since
            };
            let found = self.room.pages(after).await?.into_iter().find(wanted);
            match found {
                Some(page) => return Ok(page),
                None if Instant::now() > deadline => {
                    bail!(
                        "{alert} ({}) was not {status} within {patience:.0} s: see `lab alerts`, `lab pages`",
                        self.pair.long
                    )
                }
                None => sleep(LOOK).await,
            }
        }
    }

    /// The error ratio between the injection and the evaluation that fired, as Prometheus counted it then.
    async fn reached(&self, began: DateTime<Utc>, fired: DateTime<Utc>) -> Result<Option<f64>> {
        let elapsed = seconds(fired - began);
        let query = format!(
            "slo:sli_error:ratio_rate{}{{slo=\"{}\"}} @ {:.3}",
            self.pair.long,
            self.slo.name,
            epoch(fired)
        );
        let ratio = self.prometheus.value(&query).await?;
        Ok(ratio.filter(|_| elapsed > 0.0).map(|ratio| (ratio * self.pair.long.secs() / elapsed).min(1.0)))
    }
}

fn print(rows: &[Row]) {
    out!(
        "{:>8}  {:>8}  {:>10}  {:>8}  {:>10}  {:>8}",
        "errors",
        "reached",
        "page",
        "theory",
        "resolve",
        "theory"
    );
    for row in rows {
        out!(
            "{:>8}  {:>8}  {:>8.2} s  {:>6.2} s  {:>8.2} s  {:>6.2} s{}",
            percent(row.ratio),
            percent((row.reached * 1000.0).round() / 1000.0),
            row.measured,
            row.theory,
            row.end_measured,
            row.end_theory,
            if row.in_time { "" } else { "  too late" }
        );
    }
}

fn seconds(duration: chrono::Duration) -> f64 {
    duration.as_seconds_f64()
}

fn epoch(time: DateTime<Utc>) -> f64 {
    // Milliseconds of this century stay below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let millis = time.timestamp_millis() as f64;
    millis / 1000.0
}

fn ratio(text: &str) -> Result<f64, String> {
    chassis_text::share(text)
        .filter(|ratio| *ratio > 0.0)
        .ok_or_else(|| "expected above 0 and at most 100 %, such as 10% or 0.1".to_owned())
}
