//! What is done with findings that were kept: `load capacity report` and `load capacity autoscalers`. Measures nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{
    super::{EXIT_INCONCLUSIVE, Stop, say, store},
    days, percent, prices, rate,
};
use crate::capacity::{Aim, Findings, Values, write};

#[derive(Debug, Subcommand)]
pub(super) enum Again {
    /// Write the page again from what was kept, without a measurement
    Report(Report),
    /// Judge the chart's autoscalers by what was kept: do they act before a pod is full?
    Autoscalers(Autoscalers),
}

/// Exit code 0 if those that are on act in time, 1 if one does not, 3 if nothing was measured that could say so.
#[derive(Debug, Args)]
pub(super) struct Autoscalers {
    /// File with what was found
    #[arg(long, default_value = "load/capacity.json", value_name = "FILE")]
    results: PathBuf,
    /// Values of the chart
    #[arg(long, default_value = "deploy/helm/sre-lab/values.yaml", value_name = "FILE")]
    values: PathBuf,
}

/// The page from kept findings. What is not given is as it was when they were kept.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// File with what was found
    #[arg(long, default_value = "load/capacity.json", value_name = "FILE")]
    results: PathBuf,
    /// File to write the page to; without it, the page is printed
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// File with prices, in the format of load/prices.yaml
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Today's load in journeys per second
    #[arg(long, value_name = "N", value_parser = rate)]
    today: Option<f64>,
    /// Growth in percent per month
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    growth: Option<f64>,
    /// How long an order is kept, in days
    #[arg(long, value_name = "DAYS", value_parser = days)]
    keep: Option<f64>,
    /// Orders per second to plan for
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = rate)]
    orders: Vec<f64>,
}

/// What was kept; says how to make it if there is none.
pub(in crate::command) fn findings_in(results: &Path) -> Result<Findings, Stop> {
    let name = results.display();
    let text = fs::read_to_string(results).map_err(|error| {
        Stop::Usage(format!("{name}: {error}. `load capacity` on a running lab measures and writes it"))
    })?;
    Findings::from_json(&text).map_err(|error| Stop::Usage(format!("{name}: {error}")))
}

impl Again {
    pub(super) fn act(self) -> Result<u8, Stop> {
        match self {
            Self::Report(report) => report.write(),
            Self::Autoscalers(autoscalers) => autoscalers.judge(),
        }
    }
}

impl Report {
    fn write(self) -> Result<u8, Stop> {
        let mut findings = findings_in(&self.results)?;
        let assumed = &mut findings.assumptions;
        if let Some(file) = &self.prices {
            assumed.prices = prices(Some(file))?;
        }
        assumed.today = self.today.unwrap_or(assumed.today);
        assumed.growth = self.growth.unwrap_or(assumed.growth);
        assumed.keep_days = self.keep.unwrap_or(assumed.keep_days);
        if !self.orders.is_empty() {
            assumed.orders = self.orders;
        }
        let page = write(&findings);
        match &self.write {
            Some(file) => {
                store::write(file, &page)?;
                say(&format!("wrote {}", file.display()));
            }
            None => say(page.trim_end()),
        }
        Ok(0)
    }
}

impl Autoscalers {
    fn judge(self) -> Result<u8, Stop> {
        let findings = findings_in(&self.results)?;
        let name = self.values.display().to_string();
        let text = fs::read_to_string(&self.values).map_err(|error| Stop::File(name.clone(), error))?;
        let values = Values::read(&name, &text).map_err(|problem| Stop::Usage(problem.to_string()))?;
        let aims = values.judged(&findings);
        for Aim { what, enabled, in_time, why } in &aims {
            let (on, verdict) = (if *enabled { "on" } else { "off" }, verdict(*in_time));
            say(&format!("{what:24}{on:5}{verdict:10}{why}"));
        }
        let on: Vec<Option<bool>> = aims.iter().filter(|aim| aim.enabled).map(|aim| aim.in_time).collect();
        Ok(if on.contains(&Some(false)) {
            1
        } else if on.contains(&None) {
            EXIT_INCONCLUSIVE
        } else {
            0
        })
    }
}

const fn verdict(in_time: Option<bool>) -> &'static str {
    match in_time {
        Some(true) => "in time",
        Some(false) => "TOO LATE",
        None => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        again: Again,
    }

    #[test]
    fn the_page_is_written_again_with_other_assumptions() {
        let folder = tempfile::tempdir().unwrap();
        let (results, page) = (folder.path().join("capacity.json"), folder.path().join("capacity.md"));
        let report = |args: &[&str]| {
            let files = ["--results", results.to_str().unwrap(), "--write", page.to_str().unwrap()];
            let line = Line::try_parse_from([&["load", "report"][..], &files[..], args].concat()).unwrap();
            line.again.act()
        };
        let stop = report(&[]).unwrap_err();
        assert!(stop.exit_code() == 64 && stop.to_string().contains("`load capacity`"), "{stop}");
        store::write(&results, &crate::capacity::example().to_json()).unwrap();
        assert_eq!(report(&["--today", "90", "--growth", "5", "--orders", "70,900"]).unwrap(), 0);
        let page = fs::read_to_string(&page).unwrap();
        assert!(page.contains("From 90 journeys per second today, with 5.0 % more each month"), "{page}");
        assert!(page.contains("\n| 70 | 175 |") && page.contains("\n| 900 | 2250 |"), "{page}");
    }

    #[test]
    fn an_autoscaler_that_acts_too_late_fails_and_one_that_is_off_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (results, values) = (folder.path().join("capacity.json"), folder.path().join("values.yaml"));
        store::write(&results, &crate::capacity::example().to_json()).unwrap();
        let judge = |text: &str| {
            store::write(&values, text).unwrap();
            Autoscalers { results: results.clone(), values: values.clone() }.judge()
        };
        let chart = include_str!("../../../../deploy/helm/sre-lab/values.yaml");
        assert_eq!(judge(chart).unwrap(), 0);
        assert_eq!(judge(&chart.replace("cpu: 100m", "cpu: \"1\"")).unwrap(), 1);
        assert_eq!(judge(&chart.replace("lagPerPod: 200", "lagPerPod: 20000")).unwrap(), 0, "it is off");
        assert_eq!(judge("services: []").unwrap_err().exit_code(), 64);
    }
}
