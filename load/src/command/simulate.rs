//! `load simulate`

use std::{fs, path::PathBuf};

use clap::Args;

use super::{Stop, capacity::findings_in, say, store};
use crate::scale::{Limits, part, replaced, scales};

/// Simulates many times today's load: where today's design breaks first, and what cells of it need instead.
///
/// It calculates with the times of service that `load capacity` has measured and kept, and with limits that are assumptions
/// (load/scale.yaml). The same file and seed give the same numbers.
#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// File with what `load capacity` found
    #[arg(long, default_value = "load/capacity.json", value_name = "FILE")]
    results: PathBuf,
    /// File with limits, in the format of load/scale.yaml
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// Seed of the simulation
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Page whose generated part is replaced; without it, the part is printed
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    write: Option<PathBuf>,
    /// Print the numbers as JSON
    #[arg(long)]
    json: bool,
}

impl Simulate {
    pub(super) fn act(self) -> Result<u8, Stop> {
        let findings = findings_in(&self.results)?;
        if findings.stations.is_empty() {
            return Err(Stop::Usage(format!(
                "{}: no times of service: `load capacity` could ask no Prometheus. Run it again with --prometheus URL",
                self.results.display()
            )));
        }
        let limits = self.limits()?;
        if self.json {
            let found = scales(&findings, &limits, self.seed);
            let json = serde_json::to_string_pretty(&found);
            say(&json.unwrap_or_else(|_| unreachable!("a scale has only names as keys")));
            return Ok(0);
        }
        let part = part(&findings, &limits, self.seed);
        let Some(file) = &self.write else {
            say(part.trim_end());
            return Ok(0);
        };
        let name = file.display().to_string();
        let page = fs::read_to_string(file).map_err(|error| Stop::File(name.clone(), error))?;
        let page = replaced(&page, &part).ok_or_else(|| {
            let (begin, end) = (crate::scale::BEGIN.trim_end(), crate::scale::END.trim_end());
            Stop::Usage(format!("{name} has no lines `{begin}` and `{end}` to write between"))
        })?;
        store::write(file, &page)?;
        say(&format!("wrote {name}"));
        Ok(0)
    }

    fn limits(&self) -> Result<Limits, Stop> {
        let (name, limits) = match &self.limits {
            Some(file) => {
                let name = file.display().to_string();
                let text = fs::read_to_string(file).map_err(|error| Stop::File(name.clone(), error))?;
                let limits = Limits::read(&name, &text);
                (name, limits)
            }
            None => ("scale.yaml".to_owned(), Limits::shipped()),
        };
        let limits = limits.map_err(|problem| Stop::Usage(problem.to_string()))?;
        match limits.wrong() {
            Some(wrong) => Err(Stop::Usage(format!("{name}: {wrong}"))),
            None => Ok(limits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::{BEGIN, END};

    #[test]
    fn the_part_of_a_page_is_written_and_what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (results, page) = (folder.path().join("capacity.json"), folder.path().join("page.md"));
        let simulate = |limits| Simulate {
            results: results.clone(),
            limits,
            seed: 1,
            write: Some(page.clone()),
            json: false,
        };
        assert_eq!(simulate(None).act().unwrap_err().exit_code(), 64, "nothing is kept");
        store::write(&results, &crate::capacity::example().to_json()).unwrap();
        store::write(&page, "# Page\n").unwrap();
        let stop = simulate(None).act().unwrap_err();
        assert!(stop.to_string().contains("to write between"), "{stop}");
        store::write(&page, &format!("# Page\n{BEGIN}{END}")).unwrap();
        assert_eq!(simulate(None).act().unwrap(), 0);
        assert!(fs::read_to_string(&page).unwrap().contains("Where today's design breaks"));
        let limits = folder.path().join("scale.yaml");
        let text = include_str!("../../scale.yaml").replace("gib: 2800", "gib: -1");
        store::write(&limits, &text).unwrap();
        let stop = simulate(Some(limits)).act().unwrap_err();
        assert!(stop.exit_code() == 64 && stop.to_string().contains("gib is -1"), "{stop}");
    }
}
