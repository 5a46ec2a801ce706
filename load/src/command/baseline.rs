//! `load baseline save NAME`, `load baseline list`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Stop, say, store::Store};

/// Keeps a run under a name, for `load compare`.
#[derive(Debug, Args)]
pub(super) struct Baseline {
    #[command(subcommand)]
    what: What,
    /// Where runs are kept
    #[arg(long, env = "LOAD_FOLDER", default_value = ".lab/load", value_name = "FOLDER", global = true)]
    folder: PathBuf,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Keep a run; by default the latest
    Save {
        /// Name of the baseline, such as main
        name: String,
        /// Folder of the run; by default the latest
        run: Option<PathBuf>,
    },
    /// List the baselines
    List,
}

impl Baseline {
    pub(super) fn act(self) -> Result<u8, Stop> {
        let store = Store::at(&self.folder);
        match self.what {
            What::Save { name, run } => {
                if name.is_empty() || name.contains(['/', '.', ':']) {
                    return Err(Stop::Usage(format!("`{name}` is not a name such as main")));
                }
                let none = || Stop::Nothing("there is no run yet: load run SCENARIO".to_owned());
                let run = run.or_else(|| store.latest()).ok_or_else(none)?;
                store.save(&name, &store.find(&run.display().to_string())?)?;
                say(&format!("kept {} as {name}", run.display()));
            }
            What::List => {
                for name in store.saved() {
                    let report = store.find(&name)?;
                    let (scenario, at, commit) = (&report.scenario, &report.started_at, &report.commit);
                    let (p99, rate) = (report.total.p99, report.total.good_per_second);
                    say(&format!(
                        "{name:20}{scenario:16}{at:22}{commit:14}p99 {p99:.1} ms, {rate:.1} per second"
                    ));
                }
            }
        }
        Ok(0)
    }
}
