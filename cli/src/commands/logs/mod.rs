//! `lab logs`: the logs of all parts, merged by time, filtered, followed; or the requests in them, counted.

mod top;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;
use console::Style;
use observe::logs::{
    Follower, LEVELS, Line, Wanted,
    access::{Filter, Key, Requests, Status},
};
use serde_json::{Value, json};
use supervisor::state::LabState;

use self::top::Counted;
use crate::{
    installation::Installation,
    terminal::{Row, json_line},
};

/// Merges the logs of all parts. Without -f, prints what there is and exits; works after `lab down` as well.
///
/// The services also write an access log: one line per request. It is left out unless --access, --trace, --status, --route or --top
/// asks for it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab logs -f                                  follow everything\n  \
    lab logs -f --service order-api --level warn\n  \
    lab logs --since 5m --level error\n  \
    lab --context k8s logs -f                    the lab on Kubernetes, from its Loki\n  \
    lab logs --trace 4bf92f3577b34da6a3ce929d0e0e4736   one request through all services\n  \
    lab logs -f --access --service user-service  every request as it is answered\n  \
    lab logs --status 404 --top peer             which client gets 404s?\n  \
    lab logs --status 5xx --top route --since 5m\n  \
    lab logs --json | jq .                       one JSON object per line")]
pub(crate) struct Logs {
    /// Keep printing new lines until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Only this part, such as order-api or postgres; may be repeated. `lab` is the supervisor of a detached lab.
    #[arg(long, value_name = "PART")]
    service: Vec<String>,
    /// Only this level and more severe ones: trace, debug, info, warn or error.
    #[arg(long, value_parser = level)]
    level: Option<usize>,
    /// Only lines of this trace: 32 hexadecimal digits.
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// Only lines from the last TIME, such as 5m.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// Also show the access log.
    #[arg(long)]
    access: bool,
    /// Only requests answered with this status, such as 404, or with one of a class, such as 5xx.
    #[arg(long, value_name = "STATUS", conflicts_with = "level")]
    status: Option<Status>,
    /// Only requests of the route with this template, such as '/orders/{id}'; `unmatched` has none.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "level")]
    route: Option<String>,
    /// Count requests instead of showing lines: by route, status, peer, service or agent.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["follow", "level"])]
    top: Option<Key>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

fn level(text: &str) -> Result<usize, String> {
    let found = LEVELS.iter().position(|level| level.eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("expected one of: {}", LEVELS.join(", ").to_ascii_lowercase()))
}

/// What becomes of the lines.
enum Shown {
    /// They are printed.
    Lines,
    /// Their requests are counted.
    Counted(Box<Counted>),
}

/// How often a followed log file is read.
const EVERY: Duration = Duration::from_millis(200);
/// How often Loki is asked for new lines.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How far back Loki is asked without --since.
const FIRST: Duration = Duration::from_secs(300);

impl Logs {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let from = self
            .since
            .and_then(|since| Utc::now().checked_sub_signed(chrono::Duration::from_std(since).ok()?));
        let mut shown = match self.top {
            Some(key) => Shown::Counted(Box::new(Counted::new(key))),
            None => Shown::Lines,
        };
        match place.is_here() {
            true => self.files(place, from, &mut shown).await?,
            false => self.loki(place, from, &mut shown).await?,
        }
        if let Shown::Counted(counted) = shown {
            counted.print(&self)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What is wanted of the access log.
    fn requests(&self) -> Requests {
        let filter = Filter { status: self.status, route: self.route.clone() };
        if self.top.is_some() || filter != Filter::default() {
            return Requests::Only(filter);
        }
        if self.access || self.trace.is_some() { Requests::With } else { Requests::Without }
    }

    /// Logs that the parts of a lab on this machine write.
    async fn files(
        &self,
        place: &Installation,
        from: Option<DateTime<Utc>>,
        shown: &mut Shown,
    ) -> Result<()> {
        let folder = place.home()?.dir;
        let began = LabState::load(&folder).ok().flatten().map(|state| state.started_at);
        let mut follower = Follower::open(&folder.logs(), &self.service, began)?;
        if follower.is_empty() {
            return Err(observe::Error::NoLogs(folder.logs()).into());
        }
        let requests = self.requests();
        loop {
            if self.show(follower.read(), &requests, from, shown).is_err() || !self.follow {
                return Ok(());
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Logs that another installation has sent to its Loki.
    async fn loki(&self, place: &Installation, from: Option<DateTime<Utc>>, shown: &mut Shown) -> Result<()> {
        let loki = place.loki().await?;
        let requests = self.requests();
        let wanted = Wanted { services: &self.service, text: self.trace.as_deref(), requests: &requests };
        let mut next = from.unwrap_or_else(|| Utc::now() - FIRST);
        loop {
            let lines = loki.lines(wanted, next).await?;
            let more = lines.last().map(|line| line.time + chrono::Duration::nanoseconds(1));
            next = more.unwrap_or(next).max(next);
            if self.show(lines, &requests, from, shown).is_err() || (more.is_none() && !self.follow) {
                return Ok(());
            }
            if more.is_none() {
                tokio::time::sleep(ASK_EVERY).await;
            }
        }
    }

    /// # Errors
    /// When stdout is closed (`lab logs | head`).
    fn show(
        &self,
        mut lines: Vec<Line>,
        requests: &Requests,
        from: Option<DateTime<Utc>>,
        shown: &mut Shown,
    ) -> std::io::Result<()> {
        lines.retain(|line| requests.keep(line) && self.wanted(line, from));
        if let Shown::Counted(counted) = shown {
            lines.iter().for_each(|line| counted.add(line));
            return Ok(());
        }
        // A stable sort: lines of one part with the same time keep their order.
        lines.sort_by_key(|line| line.time);
        lines.iter().try_for_each(|line| self.print(line))
    }

    fn wanted(&self, line: &Line, from: Option<DateTime<Utc>>) -> bool {
        let rank = LEVELS.iter().position(|level| *level == line.level).unwrap_or_default();
        self.level.is_none_or(|level| rank <= level)
            && from.is_none_or(|from| line.time >= from)
            && self.trace.as_ref().is_none_or(|id| trace_of(line).is_some_and(|found| found == id))
    }

    /// # Errors
    /// When stdout is closed (`lab logs | head`).
    fn print(&self, line: &Line) -> std::io::Result<()> {
        if self.json {
            return json_line(&json!({ "time": line.time, "part": line.part, "level": line.level,
                                      "message": line.message, "fields": line.fields }));
        }
        let style = match line.level {
            "ERROR" => Style::new().red(),
            "WARN" => Style::new().yellow(),
            "INFO" => Style::new(),
            _ => Style::new().dim(),
        };
        let mut row = Row::new()
            .text(format_args!("{} {:13} ", line.time.format("%H:%M:%S%.3f"), line.part))
            .painted(&style, format_args!("{:5}", line.level))
            .text(format_args!(" {}", line.message));
        for (name, value) in line.fields.iter().filter(|(name, _)| !HIDDEN.contains(&name.as_str())) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            row = row.text(" ").painted(&Style::new().dim(), format_args!("{name}={value}"));
        }
        row.try_print()
    }
}

/// Fields that add nothing to the start of the line.
const HIDDEN: &[&str] = &["target", "service", "caller", "span", "spans", "span_id", "version"];

fn trace_of(line: &Line) -> Option<&str> {
    line.fields.get("trace_id").and_then(Value::as_str)
}
