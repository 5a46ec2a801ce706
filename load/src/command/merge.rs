//! `load merge RUN RUN…`

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;

use super::{
    Stop, say,
    store::{Store, json},
};
use crate::report::Report;

/// Merges runs of one scenario that several processes or hosts made at the same time: adds their histograms, and judges the
/// thresholds on the sum. The exit code is that of the merged run.
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// Folders of the runs, each with report.json and board.json
    #[arg(required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Also write the report here, as `load run` does: for `load baseline save` and `load compare`
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
    /// Where runs are kept
    #[arg(long, env = "LOAD_FOLDER", default_value = ".lab/load", value_name = "FOLDER")]
    folder: PathBuf,
}

impl Merge {
    pub(super) fn act(self) -> Result<u8, Stop> {
        let store = Store::at(&self.folder);
        let mut reports: Vec<Report> = Vec::new();
        let mut merged = None;
        for run in &self.runs {
            let report = store.find(&run.display().to_string())?;
            let board = Store::board(run)?;
            if let Some(first) = reports.first().filter(|first| first.scenario != report.scenario) {
                let (first, other) = (&first.scenario, &report.scenario);
                return Err(Stop::Usage(format!("{}: a run of {other}, not of {first}", run.display())));
            }
            match &mut merged {
                None => merged = Some(board),
                Some(sum) => {
                    sum.merge(&board).map_err(|error| Stop::Usage(format!("{}: {error}", run.display())))?
                }
            }
            reports.push(report);
        }
        if let Some(seed) = repeated(&reports) {
            eprintln!(
                "more than one run has the seed {seed}: they sent the same visitors at the same moments. Start each with its own --seed"
            );
        }
        let none = || Stop::Usage("there is no run to merge".to_owned());
        let board = merged.ok_or_else(none)?;
        let report = Report::merged(&reports, &board).ok_or_else(none)?;
        if let Some(folder) = &self.write {
            Store::keep_board(folder, &board)?;
            Store::keep_in(folder, &report)?;
        }
        say(&if self.json { json(&report) } else { report.text() });
        Ok(report.verdict.exit_code())
    }
}

/// A seed that more than one run has.
fn repeated(reports: &[Report]) -> Option<u64> {
    let mut seen = BTreeSet::new();
    reports.iter().map(|report| report.seed).find(|seed| !seen.insert(*seed))
}
