//! Which metrics exist: read from the golden scrapes, which the services' tests keep up to date.
//!
//! A line of a golden scrape is `name type {label,label} help`, and for a histogram it ends in `(le: 0.1 0.25 ...)`.

use std::collections::BTreeMap;

use crate::selector::Selector;

/// Labels that the scrape adds to every series.
const SCRAPE_LABELS: [&str; 3] = ["job", "service", "instance"];

/// The metrics of every service.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    services: BTreeMap<String, BTreeMap<String, Metric>>,
}

/// One metric family.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Upper bounds of a histogram's buckets, `+Inf` left out.
    pub bounds: Vec<f64>,
}

/// What a selector is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// As a counter.
    Counter,
    /// As a histogram.
    Histogram,
}

impl Catalogue {
    /// Adds the golden scrape of a service.
    ///
    /// # Errors
    /// The line that does not have the format of a golden scrape.
    pub fn add(&mut self, service: &str, golden: &str) -> Result<(), String> {
        let metrics = self.services.entry(service.to_owned()).or_default();
        for line in golden.lines() {
            let (name, metric) =
                parse(line).ok_or_else(|| format!("not a line of a golden scrape: {line}"))?;
            metrics.insert(name, metric);
        }
        Ok(())
    }

    /// Whether no service was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Why `selector` finds nothing, or not the right kind. A selector of several metrics may cover several services.
    ///
    /// # Errors
    /// One sentence: what is unknown, and what exists.
    pub fn check(&self, service: &str, selector: &Selector, used: Use) -> Result<(), String> {
        if !self.services.contains_key(service) {
            let known: Vec<_> = self.services.keys().map(String::as_str).collect();
            return Err(format!("unknown service `{service}`: expected one of {}", known.join(", ")));
        }
        let names = selector.names().map(|name| {
            let exporter = self.exporter(service, selector, name)?;
            check_metric(name, exporter, selector, used)
        });
        names.collect()
    }

    /// The metric called `name` of `service`, or of another service that the selector includes.
    fn exporter(&self, service: &str, selector: &Selector, name: &str) -> Result<&Metric, String> {
        let matchers: Vec<_> =
            selector.matchers.iter().filter(|matcher| matcher.label == "service").collect();
        let several = !selector.others.is_empty() && !matchers.is_empty();
        let let_in = |other: &str| {
            other == service || (several && matchers.iter().all(|matcher| matcher.accepts(other)))
        };
        let mut found = self.services.iter().filter(|(other, _)| let_in(other));
        let metric = found.find_map(|(_, metrics)| metrics.get(name));
        metric.ok_or_else(|| unknown(service, name, &self.services[service]))
    }

    /// Why a histogram cannot tell how many events took at most `bound` seconds. Silent if [`Catalogue::check`]
    /// reports an error.
    ///
    /// # Errors
    /// One sentence, with the existing bounds.
    pub fn check_bound(&self, service: &str, histogram: &Selector, bound: f64) -> Result<(), String> {
        let metric = self.services.get(service).and_then(|metrics| metrics.get(&histogram.name));
        match metric {
            Some(metric) if !metric.bounds.contains(&bound) => Err(format!(
                "{bound} s is not the bound of a bucket of `{}`, so the events within it cannot be counted: expected one of {}",
                histogram.name,
                metric.bounds.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
            )),
            _ => Ok(()),
        }
    }
}

fn check_metric(name: &str, metric: &Metric, selector: &Selector, used: Use) -> Result<(), String> {
    let wanted = if used == Use::Counter { "counter" } else { "histogram" };
    if metric.kind != wanted {
        return Err(format!("`{name}` is a {}, expected a {wanted}", metric.kind));
    }
    for matcher in &selector.matchers {
        let label = matcher.label.as_str();
        if !SCRAPE_LABELS.contains(&label) && !metric.labels.iter().any(|known| known == label) {
            let known = metric.labels.iter().map(String::as_str).chain(SCRAPE_LABELS);
            return Err(format!(
                "unknown label `{label}` of `{name}`: it has {}",
                known.collect::<Vec<_>>().join(", ")
            ));
        }
    }
    Ok(())
}

fn unknown(service: &str, name: &str, metrics: &BTreeMap<String, Metric>) -> String {
    let shared = |known: &str| known.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
    let nearest = metrics.keys().max_by_key(|known| shared(known)).map_or("", String::as_str);
    format!(
        "unknown metric `{name}`: {service} does not export it (nearest: `{nearest}`; all: the golden scrape of {service})"
    )
}

fn parse(line: &str) -> Option<(String, Metric)> {
    let (name, rest) = line.split_once(' ')?;
    let (kind, rest) = rest.split_once(" {")?;
    let (labels, help) = rest.split_once('}')?;
    let bounds = help.rsplit_once("(le: ").map_or("", |(_, bounds)| bounds.trim_end_matches(')'));
    let labels = labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect();
    let bounds = bounds.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some((name.to_owned(), Metric { kind: kind.to_owned(), labels, bounds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let mut catalogue = Catalogue::default();
        let golden =
            "a_total counter {k} Things.\ng gauge {} Now.\nh_seconds histogram {k} Time. (le: 0.25 1 5)\n";
        catalogue.add("api", golden).unwrap();
        catalogue
    }

    #[test]
    fn existing_metrics_pass_and_unknown_ones_are_named_with_the_known_ones() {
        let catalogue = catalogue();
        let check = |service, text, used| catalogue.check(service, &Selector::parse(text).unwrap(), used);
        assert_eq!(check("api", r#"a_total{k="x", service="api"}"#, Use::Counter), Ok(()));
        assert_eq!(check("api", "h_seconds", Use::Histogram), Ok(()));
        for (service, text, used, says) in [
            ("web", "a_total", Use::Counter, "expected one of api"),
            ("api", "a_totl", Use::Counter, "nearest: `a_total`"),
            ("api", r#"a_total{l="x"}"#, Use::Counter, "unknown label `l`"),
            ("api", "g", Use::Counter, "is a gauge, expected a counter"),
            ("api", "a_total", Use::Histogram, "is a counter, expected a histogram"),
        ] {
            let problem = check(service, text, used).unwrap_err();
            assert!(problem.contains(says), "{text}: {problem}");
        }
        let histogram = Selector::parse("h_seconds").unwrap();
        assert_eq!(catalogue.check_bound("api", &histogram, 0.25), Ok(()));
        let problem = catalogue.check_bound("api", &histogram, 0.3).unwrap_err();
        assert!(problem.contains("expected one of 0.25, 1, 5"), "{problem}");
    }

    #[test]
    fn a_selector_of_several_metrics_may_cover_several_services() {
        let mut catalogue = catalogue();
        catalogue.add("web", "b_total counter {k} Things.\n").unwrap();
        let check = |text| catalogue.check("api", &Selector::parse(text).unwrap(), Use::Counter);
        assert_eq!(check(r#"{__name__=~"a_total|b_total", service=~"api|web", k="x"}"#), Ok(()));
        for (text, says) in [
            (r#"{__name__=~"a_total|b_total", service="api"}"#, "unknown metric `b_total`"),
            (r#"{__name__=~"a_total|b_total", service=~"api|web", l="x"}"#, "unknown label `l` of `a_total`"),
            (r#"{__name__=~"a_total|c_total", service=~"api|web"}"#, "unknown metric `c_total`"),
        ] {
            let problem = check(text).unwrap_err();
            assert!(problem.contains(says), "{text}: {problem}");
        }
    }

    #[test]
    fn a_malformed_line_is_refused() {
        assert!(Catalogue::default().add("api", "a_total 5\n").is_err());
    }
}
