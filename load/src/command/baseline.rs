//! `load baseline save NAME`, `load baseline list`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Stop, say, store::Store};
use crate::report::Report;

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
                    say(&row(&name, &store.find(&name)?));
                }
            }
        }
        Ok(0)
    }
}

/// A baseline in a line.
fn row(name: &str, report: &Report) -> String {
    let (scenario, at, commit) = (&report.scenario, &report.started_at, &report.commit);
    let (p99, rate) = (report.total.p99, report.total.good_per_second);
    format!("{name:20}{scenario:16}{at:22}{commit:14}p99 {p99:.1} ms, {rate:.1} per second")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_kept_under_a_name_and_listed_with_its_figures() {
        let folder = tempfile::tempdir().unwrap();
        let act = |what| Baseline { what, folder: folder.path().to_owned() }.act();
        let save = |name: &str, run: Option<PathBuf>| act(What::Save { name: name.to_owned(), run });
        assert_eq!(save("main", None).unwrap_err().to_string(), "there is no run yet: load run SCENARIO");
        let (store, report) = (Store::at(folder.path()), crate::report::example());
        let kept = store.keep(&report).unwrap();
        assert_eq!(save("main", None).unwrap(), 0, "by default the latest");
        assert_eq!(save("again", Some(kept)).unwrap(), 0);
        for wrong in ["", "a/b", "../main", "v1.2", "a:b"] {
            assert_eq!(save(wrong, None).unwrap_err().exit_code(), 64, "{wrong:?}");
        }
        let nowhere = Some(folder.path().join("nowhere"));
        assert_eq!(save("gone", nowhere).unwrap_err().exit_code(), 64);
        assert_eq!(store.saved(), ["again", "main"], "what is refused is not kept");
        assert_eq!(act(What::List).unwrap(), 0);
        let row = row("main", &store.find("main").unwrap());
        assert!(row.starts_with("main                smoke           "), "{row}");
        assert!(row.contains(&format!("p99 {:.1} ms, ", report.total.p99)), "{row}");
    }
}
