//! What the monkey did, and what it found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use serde::Serialize;

use super::strikes::Strike;
use crate::commands::{
    chaos::{blow::Blow, eyes::Budgets},
    drill::text::clock,
};

/// A strike that burned more than this, without an alert, is one that nobody was told of.
const UNSEEN: f64 = 0.002;

/// One strike, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Struck {
    pub(super) at: f64,
    #[serde(flatten)]
    pub(super) blow: Blow,
    /// Seconds.
    pub(super) lasted: f64,
    /// It was ended before its time, because the budget was burned.
    pub(super) cut_short: bool,
    /// Share of each budget that it burned.
    pub(super) burned: Budgets,
    /// Alerts that fired meanwhile.
    pub(super) alerts: BTreeSet<String>,
    /// Seconds until a process that was killed was ready again; absent if it was not, or if none was killed.
    pub(super) back_after: Option<f64>,
    /// Seconds until no page fired; absent if one still did after a minute.
    pub(super) recovered_after: Option<f64>,
}

/// The whole run.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Report {
    pub(super) seed: u64,
    /// The share that might be burned.
    pub(super) budget: f64,
    pub(super) seconds: f64,
    pub(super) ended_early: Option<String>,
    /// Share of each budget that was burned.
    pub(super) burned: Budgets,
    pub(super) strikes: Vec<Struck>,
}

impl Struck {
    pub(super) fn of(strike: &Strike, at: Duration) -> Self {
        Self {
            at: at.as_secs_f64(),
            blow: strike.blow.clone(),
            lasted: 0.0,
            cut_short: false,
            burned: BTreeMap::new(),
            alerts: BTreeSet::new(),
            back_after: None,
            recovered_after: None,
        }
    }

    fn most(&self) -> f64 {
        self.burned.values().copied().fold(0.0, f64::max)
    }

    /// Whether everything was as before.
    fn is_back(&self) -> bool {
        let killed = matches!(self.blow, Blow::Kill { .. });
        self.recovered_after.is_some() && (self.back_after.is_some() || !killed)
    }

    /// What came of it, in a line.
    pub(super) fn words(&self) -> String {
        let alerts: Vec<&str> = self.alerts.iter().map(String::as_str).collect();
        let alerts = if alerts.is_empty() { "no alert".to_owned() } else { alerts.join(", ") };
        let back = self.back_after.map_or_else(String::new, |time| format!(", back after {time:.1} s"));
        let recovered = match self.recovered_after {
            Some(time) => format!(", quiet after {time:.0} s"),
            None => ", NOT quiet after a minute".to_owned(),
        };
        format!("burned {:.2} %, {alerts}{back}{recovered}", self.most() * 100.0)
    }

    /// What somebody should look into.
    fn finding(&self) -> Option<String> {
        if !self.is_back() {
            return Some(format!("`{}` at {}: it did not come back by itself", self.blow, clock(self.at)));
        }
        let unseen = self.alerts.is_empty() && self.most() > UNSEEN;
        unseen.then(|| {
            let share = self.most() * 100.0;
            format!(
                "`{}` at {}: it burned {share:.2} % of a budget, and nobody was told",
                self.blow,
                clock(self.at)
            )
        })
    }
}

impl Report {
    /// Whether everything came back.
    pub(super) fn recovered(&self) -> bool {
        self.strikes.iter().all(Struck::is_back)
    }

    /// In Markdown.
    pub(super) fn page(&self) -> String {
        let mut page = format!(
            "# Monkey, seed {}\n\n{} strikes in {}. It might burn {:.0} % of any budget.\n",
            self.seed,
            self.strikes.len(),
            clock(self.seconds),
            self.budget * 100.0
        );
        if let Some(why) = &self.ended_early {
            let _ = writeln!(page, "\nEnded early: {why}.");
        }
        page.push_str("\n## Burned\n\n");
        if self.burned.is_empty() {
            page.push_str("Nothing.\n");
        }
        for (slo, share) in &self.burned {
            let _ = writeln!(page, "- {slo}: {:.2} %", share * 100.0);
        }
        page.push_str("\n## Findings\n\n");
        let findings: Vec<String> = self.strikes.iter().filter_map(Struck::finding).collect();
        if findings.is_empty() {
            page.push_str("None: everything came back, and whatever users felt was told.\n");
        }
        findings.iter().for_each(|finding| {
            let _ = writeln!(page, "- {finding}");
        });
        page.push_str("\n## Strikes\n\n| at | what | lasted | what came of it |\n|---|---|---|---|\n");
        for one in &self.strikes {
            let cut = if one.cut_short { ", cut short" } else { "" };
            let (at, words) = (clock(one.at), one.words().replace('|', "\\|"));
            let _ = writeln!(page, "| {at} | {} | {:.0} s{cut} | {words} |", one.blow, one.lasted);
        }
        page
    }
}

/// What would be done.
pub(super) fn plan(seed: u64, plan: &[Strike]) -> String {
    let mut page = format!("seed {seed}\n");
    for strike in plan {
        let (at, lasts) = (clock(strike.at.as_secs_f64()), strike.lasts.as_secs());
        let lasts = if lasts == 0 { String::new() } else { format!(" for {lasts} s") };
        let _ = writeln!(page, "{at:>8}  {}{lasts}", strike.blow);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(burned: f64, alert: Option<&str>, recovered: Option<f64>) -> Struck {
        let blow = Blow::Kill { part: "order-worker".to_owned() };
        let strike = Strike { at: Duration::from_secs(90), lasts: Duration::ZERO, blow };
        Struck {
            burned: BTreeMap::from([("order-availability".to_owned(), burned)]),
            alerts: alert.map(str::to_owned).into_iter().collect(),
            back_after: Some(1.2),
            recovered_after: recovered,
            ..Struck::of(&strike, strike.at)
        }
    }

    #[test]
    fn what_nobody_was_told_of_and_what_did_not_come_back_are_findings() {
        let told = struck(0.05, Some("ProcessRestarted of order-worker"), Some(3.0));
        assert_eq!(told.finding(), None);
        assert!(
            told.words().starts_with("burned 5.00 %, ProcessRestarted of order-worker, back after 1.2 s")
        );
        let silent = struck(0.05, None, Some(3.0)).finding().unwrap();
        assert!(silent.contains("at 01:30") && silent.ends_with("nobody was told"), "{silent}");
        assert_eq!(struck(0.000_1, None, Some(3.0)).finding(), None, "users felt nothing");
        let lost = Report { strikes: vec![struck(0.0, None, None)], ..Report::default() };
        assert!(!lost.recovered() && lost.page().contains("did not come back"), "{}", lost.page());
        let fine = Report { strikes: vec![told], ..Report::default() };
        assert!(fine.recovered() && fine.page().contains("None: everything came back"));
    }
}
