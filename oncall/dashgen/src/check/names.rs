//! Which metrics exist, and their labels: from the golden scrapes of the services, the tables in `catalogue/`, and
//! the rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::promql;

/// Labels that every scraped series has.
const OF_THE_SCRAPE: [&str; 3] = ["job", "instance", "service"];

/// Metrics and their labels.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, BTreeSet<String>>);

impl Names {
    /// Reads all known metrics of the checkout at `root`.
    ///
    /// # Errors
    /// When a file cannot be read, or a line is not `name type {labels} …`.
    pub fn load(root: &Path) -> Result<Self, String> {
        let mut names = Self::default();
        for scrape in [
            "services/edge/tests/api/snapshots/metrics.txt",
            "services/notifier/tests/api/snapshots/metrics.txt",
            "services/order-api/tests/api/snapshots/metrics.txt",
            "services/user-service/tests/api/snapshots/metrics.txt",
            "services/order-worker/tests/api/snapshots/metrics.txt",
            "load/tests/snapshots/metrics.txt",
            "load/tests/snapshots/probe.txt",
            "oncall/control-room/tests/watch/snapshots/metrics.txt",
        ] {
            names.table(&read(&root.join(scrape))?)?;
        }
        for text in read_all(&root.join("oncall/dashgen/catalogue"), "txt")? {
            names.table(&text)?;
        }
        // Recorded copies keep all labels; the series of `board:` and `slo:` are in the catalogue.
        let folders = ["dashboards/rules", "dashboards/rules/lab", "dashboards/rules/production"];
        for folder in folders.map(|folder| root.join(folder)).iter().filter(|folder| folder.is_dir()) {
            for text in read_all(folder, "yml")? {
                let records = text.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
                for record in records {
                    names.0.entry(record.trim().to_owned()).or_default();
                }
            }
        }
        Ok(names)
    }

    /// Lines `name type {label,label} help`; a histogram adds its three series.
    fn table(&mut self, text: &str) -> Result<(), String> {
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let wrong = || format!("expected `name type {{labels}} help`: {line}");
            let mut words = line.splitn(4, ' ');
            let (Some(name), Some(kind), Some(labels)) = (words.next(), words.next(), words.next()) else {
                return Err(wrong());
            };
            let labels = labels.strip_prefix('{').and_then(|l| l.strip_suffix('}')).ok_or_else(wrong)?;
            let labels = labels.split(',').filter(|label| !label.is_empty()).chain(OF_THE_SCRAPE);
            let labels: Vec<_> = labels.map(str::to_owned).collect();
            let (suffixes, le): (&[&str], _) =
                if kind == "histogram" { (&["_bucket", "_sum", "_count"], true) } else { (&[""], false) };
            for suffix in suffixes {
                let entry = self.0.entry(format!("{name}{suffix}")).or_default();
                entry.extend(labels.iter().cloned());
                if le && *suffix == "_bucket" {
                    entry.insert("le".to_owned());
                }
            }
        }
        Ok(())
    }

    /// Unknown names in a query: metrics that do not exist, and labels that none of its metrics has.
    ///
    /// # Errors
    /// When the query does not parse.
    pub fn judge(&self, expr: &str, legend: &str) -> Result<Vec<String>, String> {
        let parts = promql::parse(expr)?;
        let mut wrong = Vec::new();
        let mut known = BTreeSet::new();
        for selector in &parts.selectors {
            let Some(labels) = self.0.get(&selector.metric) else {
                wrong.push(format!("no metric `{}`", selector.metric));
                continue;
            };
            known.extend(labels.iter().cloned());
            let strange = selector.matchers.iter().filter(|(label, ..)| !labels.contains(label));
            wrong.extend(strange.map(|(label, ..)| format!("`{}` has no label `{label}`", selector.metric)));
        }
        let in_legend = legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
        let asked = parts.grouping.iter().cloned().chain(in_legend.map(|(label, _)| label.trim().to_owned()));
        wrong.extend(asked.filter(|label| !known.contains(label)).map(|label| format!("no label `{label}`")));
        Ok(wrong)
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn read_all(folder: &Path, ending: &str) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|e| e == ending)).map(|path| read(&path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_metric_and_a_wrong_label_are_named() {
        let mut names = Names::default();
        names.table("# comment\nx_seconds histogram {route} Time.\ny gauge {} Value.\n").unwrap();
        let judge = |expr| names.judge(expr, "").unwrap();
        assert_eq!(
            judge("sum by (route, le) (rate(x_seconds_bucket{job=\"a\"}[5m])) / y"),
            Vec::<String>::new()
        );
        assert_eq!(judge("z"), ["no metric `z`"]);
        assert_eq!(judge("y{route=\"/\"}"), ["`y` has no label `route`"]);
        assert_eq!(judge("sum by (colour) (y)"), ["no label `colour`"]);
        assert_eq!(names.judge("y", "{{route}}").unwrap(), ["no label `route`"]);
        assert!(names.table("only-a-name").is_err());
    }
}
