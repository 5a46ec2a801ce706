//! A scrape of `/metrics`, and assertions on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    net::SocketAddr,
};

use crate::Http;

/// A metric family in a scrape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// HELP text.
    pub help: String,
    /// Names of its labels, without `le`.
    pub labels: BTreeSet<String>,
    /// Upper bounds of a histogram's buckets in the order of the scrape, without `+Inf`.
    pub bounds: Vec<String>,
}

/// One scrape in Prometheus text format.
#[derive(Debug, Clone, Default)]
pub struct Scrape {
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
    families: BTreeMap<String, Family>,
}

impl Scrape {
    /// Scrapes `/metrics` at an admin address.
    pub async fn of(admin: SocketAddr) -> Self {
        let answer = Http::to(admin).get("/metrics").await;
        answer.expect_status(200);
        Self::parse(&answer.body)
    }

    /// Parses Prometheus text format 0.0.4.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut scrape = Self::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
                scrape.families.entry(name.to_owned()).or_default().help = help.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap_or((rest, ""));
                scrape.families.entry(name.to_owned()).or_default().kind = kind.to_owned();
            } else if !line.starts_with('#') && !line.is_empty() {
                scrape.sample(line);
            }
        }
        scrape
    }

    fn sample(&mut self, line: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("not a sample: {line}"));
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels = parse_labels(labels.trim_end_matches('}'));
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        let family = base.filter(|base| self.families.contains_key(*base)).unwrap_or(name);
        if let Some(family) = self.families.get_mut(family) {
            family.labels.extend(labels.keys().filter(|label| *label != "le").cloned());
            if let Some(bound) =
                labels.get("le").filter(|bound| *bound != "+Inf" && !family.bounds.contains(bound))
            {
                family.bounds.push(bound.clone());
            }
        }
        let value = value.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
        self.samples.push((name.to_owned(), labels, value));
    }

    /// Sum of the series of `name` that have all of `labels`; `None` if there are none.
    #[must_use]
    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut matching = self
            .samples
            .iter()
            .filter(|(sample, has, _)| {
                sample == name && labels.iter().all(|(key, want)| has.get(*key).is_some_and(|v| v == want))
            })
            .map(|(.., value)| *value)
            .peekable();
        matching.peek()?;
        Some(matching.sum())
    }

    /// Like [`Scrape::find`], for series that must exist.
    ///
    /// # Panics
    /// When there are none; lists the family's series. A series must exist from the start, at 0.
    #[must_use]
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| {
            let series: Vec<_> = self.samples.iter().filter(|(sample, ..)| sample == name).collect();
            panic!("no series {name} {labels:?}; there is: {series:?}")
        })
    }

    /// How much the sum has grown since `before`; an absent series counts as 0.
    #[must_use]
    #[track_caller]
    pub fn delta(&self, before: &Self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.value(name, labels) - before.find(name, labels).unwrap_or(0.0)
    }

    /// The metric families by name.
    #[must_use]
    pub const fn families(&self) -> &BTreeMap<String, Family> {
        &self.families
    }

    /// The contract of a scrape, for a golden file: one line per family with name, type, label names, HELP and, for a
    /// histogram, the bounds of its buckets (objectives depend on them); without values.
    #[must_use]
    pub fn contract(&self) -> String {
        let mut text = String::new();
        for (name, Family { kind, help, labels, bounds }) in &self.families {
            let labels: Vec<_> = labels.iter().map(String::as_str).collect();
            let bounds =
                if bounds.is_empty() { String::new() } else { format!(" (le: {})", bounds.join(" ")) };
            let _ = writeln!(text, "{name} {kind} {{{}}} {help}{bounds}", labels.join(","));
        }
        text
    }
}

/// `a="x",b="y"` with the escapes of the format.
fn parse_labels(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut chars = after.char_indices();
        let mut end = after.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c)) => value.push(c),
                    None => break,
                },
                c => value.push(c),
            }
        }
        labels.insert(key.trim_start_matches(',').to_owned(), value);
        rest = &after[end..];
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a_total Things.\n# TYPE a_total counter\na_total{k=\"x \\\"}\",l=\"1\"} 2\na_total{k=\"y\",l=\"1\"} 3\n\
        # HELP h Time.\n# TYPE h histogram\nh_bucket{p=\"q\",le=\"0.5\"} 3\nh_bucket{p=\"q\",le=\"+Inf\"} 4\nh_count{p=\"q\"} 4\n";

    #[test]
    fn values_are_sums_over_matching_labels() {
        let scrape = Scrape::parse(TEXT);
        assert_eq!(scrape.value("a_total", &[("l", "1")]), 5.0);
        assert_eq!(scrape.value("a_total", &[("k", "x \"}")]), 2.0);
        assert_eq!(scrape.find("a_total", &[("k", "z")]), None);
    }

    #[test]
    fn the_contract_has_names_types_labels_help_and_bounds() {
        let contract = Scrape::parse(TEXT).contract();
        assert_eq!(contract, "a_total counter {k,l} Things.\nh histogram {p} Time. (le: 0.5)\n");
    }
}
