//! A selector of series: a metric name and matchers, as specs write it and rules need it.

mod read;

use std::fmt;

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

/// One or several metric names, and matchers: a PromQL vector selector without offset and range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The metric.
    pub name: String,
    /// More metrics whose series count as well: `{__name__=~"one_total|other_total"}`.
    pub others: Vec<String>,
    /// In the order of the spec.
    pub matchers: Vec<Matcher>,
}

/// One condition on a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// The label.
    pub label: String,
    /// How it is compared.
    pub op: Op,
    /// With what.
    pub value: String,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Is,
    /// `!=`
    IsNot,
    /// `=~`
    Like,
    /// `!~`
    Unlike,
}

impl Selector {
    /// Parses PromQL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = "expected a selector of a counter, such as http_requests_total{status=~\"5..\"}: `rate`, the windows \
                     and the sum are written by the generator";
        let (name, matchers) = read::read(text).map_err(|problem| format!("{problem}; {wrong}"))?;
        let (named, matchers): (Vec<Matcher>, Vec<Matcher>) =
            matchers.into_iter().partition(|matcher| matcher.label == "__name__");
        let names = match (name, named.as_slice()) {
            (Some(name), []) => vec![name],
            (Some(_), _) => return Err(format!("the metric is named twice; {wrong}")),
            (None, [Matcher { op: Op::Like, value, .. }]) => alternatives(value)
                .ok_or_else(|| format!("`{value}` is not a list of metrics, such as a_total|b_total"))?,
            _ => return Err(format!("a metric name is missing; {wrong}")),
        };
        let (name, others) = (names[0].clone(), names[1..].to_vec());
        Ok(Self { name, others, matchers })
    }

    /// The same matchers on `name` + `suffix`.
    #[must_use]
    pub fn suffixed(&self, suffix: &str) -> Self {
        let with = |name: &String| format!("{name}{suffix}");
        let others = self.others.iter().map(with).collect();
        Self { name: with(&self.name), others, matchers: self.matchers.clone() }
    }

    /// Every metric.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.name).chain(&self.others)
    }

    /// The bucket of a classic histogram with this bound.
    ///
    /// Prometheus 3 writes every `le` as a float (`1.0`); version 2 keeps the exporter's form, `1` or `1.0`: a
    /// whole bound is matched in both forms. A fraction has only one form.
    #[must_use]
    pub fn bucket(&self, bound: f64) -> Self {
        let mut bucket = self.suffixed("_bucket");
        let whole = bound.fract() == 0.0;
        bucket.matchers.push(Matcher {
            label: "le".to_owned(),
            op: if whole { Op::Like } else { Op::Is },
            value: if whole { format!(r"{bound:.0}(\.0)?") } else { crate::window::number(bound) },
        });
        bucket
    }

    /// Labels of one series that matches, without the metric name.
    ///
    /// # Errors
    /// The label for which no value was found.
    pub fn example(&self) -> Result<Vec<(String, String)>, String> {
        let mut labels: Vec<(String, String)> = Vec::new();
        for matcher in &self.matchers {
            if labels.iter().any(|(label, _)| *label == matcher.label) {
                continue;
            }
            let own: Vec<_> = self.matchers.iter().filter(|other| other.label == matcher.label).collect();
            let made = own.iter().filter_map(|matcher| match matcher.op {
                Op::Is => Some(matcher.value.clone()),
                Op::Like => sample(&matcher.value),
                Op::IsNot | Op::Unlike => None,
            });
            let fits = |value: &String| own.iter().all(|matcher| matcher.accepts(value));
            let neutral = ["200", "good", "other"].map(str::to_owned);
            let value = made.chain(neutral).find(fits);
            let value = value.ok_or_else(|| format!("no value of `{}` satisfies {self}", matcher.label))?;
            labels.push((matcher.label.clone(), value));
        }
        Ok(labels)
    }

    /// Whether a series with these labels matches.
    #[must_use]
    pub fn picks(&self, labels: &[(String, String)]) -> bool {
        let value = |label: &str| {
            labels.iter().find(|(name, _)| name == label).map_or("", |(_, value)| value.as_str())
        };
        self.matchers.iter().all(|matcher| matcher.accepts(value(&matcher.label)))
    }
}

impl Matcher {
    /// A value that a negative matcher rejects.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        match self.op {
            Op::IsNot => Some(self.value.clone()),
            Op::Unlike => sample(&self.value),
            Op::Is | Op::Like => None,
        }
    }

    /// Whether a value matches. Patterns are anchored, as in Prometheus.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        let like = || Regex::new(&format!("^(?s:{})$", self.value)).is_ok_and(|regex| regex.is_match(value));
        match self.op {
            Op::Is => self.value == value,
            Op::IsNot => self.value != value,
            Op::Like => like(),
            Op::Unlike => !like(),
        }
    }
}

/// Some text that a pattern matches.
fn sample(pattern: &str) -> Option<String> {
    let mut text = String::new();
    write_sample(&regex_syntax::parse(pattern).ok()?, &mut text)?;
    Some(text)
}

fn write_sample(hir: &Hir, text: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(readable(class)?),
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                write_sample(&repetition.sub, text)?;
            }
        }
        HirKind::Capture(capture) => write_sample(&capture.sub, text)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write_sample(part, text))?,
        HirKind::Alternation(choices) => write_sample(choices.first()?, text)?,
    }
    Some(())
}

/// A digit or letter of the class, if it has one, so that examples are readable.
fn readable(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let has =
        |wanted: &char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(wanted));
    "0a1bA-_/".chars().find(has).or_else(|| class.ranges().first().map(|range| range.start()))
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = !self.others.is_empty();
        if !several {
            f.write_str(&self.name)?;
            if self.matchers.is_empty() {
                return Ok(());
            }
        }
        let names = self.names().cloned().collect::<Vec<_>>().join("|");
        let names = several.then(|| format!("__name__=~\"{names}\""));
        let matchers = self.matchers.iter().map(|matcher| {
            let op = match matcher.op {
                Op::Is => "=",
                Op::IsNot => "!=",
                Op::Like => "=~",
                Op::Unlike => "!~",
            };
            format!("{}{op}\"{}\"", matcher.label, escape(&matcher.value))
        });
        write!(f, "{{{}}}", names.into_iter().chain(matchers).collect::<Vec<_>>().join(", "))
    }
}

/// The names in `a_total|b_total`; `None` for any other kind of pattern.
fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let plain = |name: &str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    pattern.split('|').map(|name| plain(name).then(|| name.to_owned())).collect()
}

fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_written_as_it_was_read() {
        let text = r#"http_requests_total{service="order-api", endpoint=~"/orders.*", status!="200", path!~"a\\.b"}"#;
        assert_eq!(Selector::parse(text).unwrap().to_string(), text);
        assert_eq!(Selector::parse(" up ").unwrap().to_string(), "up");
        let text = r#"{__name__=~"a_total|b_total", service=~"api|worker", result="bad"}"#;
        let several = Selector::parse(text).unwrap();
        assert_eq!((several.to_string().as_str(), several.names().count()), (text, 2));
    }

    #[test]
    fn anything_but_a_selector_is_refused() {
        for text in [
            "sum(rate(a[5m]))",
            "a[5m]",
            "a offset 5m",
            "{job=\"x\"}",
            "{__name__!=\"x\"}",
            "a{",
            "1",
            "a @ 5",
        ] {
            let problem = Selector::parse(text).unwrap_err();
            assert!(problem.contains("expected a selector"), "{text}: {problem}");
        }
    }

    #[test]
    fn a_whole_bound_is_matched_in_both_forms_and_a_fraction_in_one() {
        let selector = Selector::parse("h").unwrap();
        let le = |bound| selector.bucket(bound).matchers[0].clone();
        for text in ["5", "5.0"] {
            assert!(le(5.0).accepts(text), "{text}");
        }
        assert!(!le(5.0).accepts("50") && !le(5.0).accepts("5x0"));
        assert_eq!(selector.bucket(0.25).to_string(), r#"h_bucket{le="0.25"}"#);
        assert_eq!(selector.bucket(5.0).to_string(), r#"h_bucket{le=~"5(\\.0)?"}"#);
    }

    #[test]
    fn an_example_is_a_series_that_matches_the_selector() {
        for text in [
            r#"a{s=~"5..|499", e=~"/orders.*", m="GET"}"#,
            r#"a{s!~"2..", s!="good"}"#,
            r#"a{s=~"[a-c]{2}(x|y)+\\d"}"#,
        ] {
            let selector = Selector::parse(text).unwrap();
            let example = selector.example().unwrap();
            assert!(selector.picks(&example), "{text}: {example:?}");
        }
        assert!(Selector::parse(r#"a{s="x", s="y"}"#).unwrap().example().is_err());
    }
}
