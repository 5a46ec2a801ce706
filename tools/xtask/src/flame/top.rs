//! The largest costs of several services, as a table and as figures. Pure.
//!
//! A sample belongs to the innermost of our functions in its stack: to the one that is doing something itself, or that called the
//! library or the kernel that is. So nothing is counted twice, and `main` is not the largest cost.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use super::{OURS, stacks::Stacks};

/// The functions that cost most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Top {
    /// Service, function and samples, the largest first.
    rows: Vec<(String, String, u64)>,
    /// Samples below our functions.
    ours: u64,
    /// All samples.
    total: u64,
}

/// The `count` functions that cost most, of services that were sampled at the same time and rate.
pub(crate) fn top(sampled: &[(&str, Stacks)], count: usize) -> Top {
    let total = sampled.iter().map(|(_, stacks)| stacks.total()).sum();
    let mut costs: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for (service, stacks) in sampled {
        for (stack, samples) in stacks.iter() {
            if let Some(function) = stack.iter().rev().find(|function| is_ours(function)) {
                *costs.entry((*service, named(function))).or_default() += samples;
            }
        }
    }
    let ours = costs.values().sum();
    let mut costs: Vec<_> = costs.into_iter().collect();
    costs.sort_by_key(|(_, samples)| std::cmp::Reverse(*samples));
    let row = |((service, function), samples): ((&str, String), u64)| (service.to_owned(), function, samples);
    Top { rows: costs.into_iter().take(count).map(row).collect(), ours, total }
}

impl Top {
    fn share(&self, samples: u64) -> f64 {
        samples as f64 / self.total.max(1) as f64 * 100.0
    }

    /// A table in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text =
            "| service | function, with the libraries and the kernel that it calls | share of all samples |\n\
                        |---|---|---|\n"
                .to_owned();
        for (service, function, samples) in &self.rows {
            let _ = writeln!(text, "| {service} | `{function}` | {:.1} % |", self.share(*samples));
        }
        let _ = writeln!(
            text,
            "\n{} samples, {:.1} % of them below our functions; the others are libraries alone, such as the runtime.",
            self.total,
            self.share(self.ours)
        );
        text
    }

    /// What `load results add` reads: CPU time per request, so that what became cheaper does not make the rest look dearer. A
    /// sample is one of `hertz` per second of a core; `requests` were sent meanwhile.
    pub(crate) fn figures(&self, hertz: u32, requests: f64) -> Value {
        let figure = |name: String, samples: u64| {
            let ms = samples as f64 / f64::from(hertz) / requests.max(1.0) * 1_000.0;
            json!({ "name": name, "value": ms })
        };
        let all = figure("all sampled services, ms of CPU per request".to_owned(), self.total);
        let row = |(service, function, samples): &(String, String, u64)| {
            figure(format!("{service}: {function}, ms of CPU per request"), *samples)
        };
        Value::Array([all].into_iter().chain(self.rows.iter().map(row)).collect())
    }
}

/// Whether the function is in one of our crates: `order_api::place` and `<order_api::Pg as …>::insert`, but no function of a library that
/// is generic over one of our types.
fn is_ours(function: &str) -> bool {
    let path = function.trim_start_matches(['<', '&']);
    OURS.iter().any(|ours| path.starts_with(ours))
}

/// The body of an asynchronous function is a closure in it.
fn named(function: &str) -> String {
    function.replace("::{{closure}}", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stacks with the innermost function first, as perf prints them, each with its samples.
    fn stacks(samples: &[(&[&str], usize)]) -> Stacks {
        let stack = |stack: &[&str]| {
            let lines: String = stack.iter().map(|function| format!("\t 1 {function}\n")).collect();
            format!("thread\n{lines}\n")
        };
        Stacks::read(
            &samples.iter().map(|(functions, times)| stack(functions).repeat(*times)).collect::<String>(),
        )
    }

    #[test]
    fn a_sample_belongs_to_the_innermost_of_our_functions() {
        let api = stacks(&[
            (
                &[
                    "write",
                    "sqlx::execute",
                    "<order_api::Pg as order_api::Store>::insert::{{closure}}",
                    "order_api::main",
                ],
                40,
            ),
            (&["<order_api::Pg as order_api::Store>::insert", "order_api::main"], 10),
            (&["serde::parse", "order_api::place::{{closure}}", "order_api::main"], 20),
            (&["drop_in_place<order_api::Order>", "tokio::run"], 10),
        ]);
        let worker =
            stacks(&[(&["order_worker::settle", "tokio::run"], 15), (&["epoll_wait", "tokio::run"], 5)]);
        let top = top(&[("order-api", api), ("order-worker", worker)], 2);
        let text = top.table();
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            rows[0], "| order-api | `<order_api::Pg as order_api::Store>::insert` | 50.0 % |",
            "{text}"
        );
        assert_eq!(rows[1], "| order-api | `order_api::place` | 20.0 % |", "{text}");
        assert!(rows[2].is_empty() && rows[3].starts_with("100 samples, 85.0 % of them"), "{text}");
        // A hundred samples at 200 per second are half a second, for 1,000 requests.
        let figures = top.figures(200, 1_000.0);
        let insert = "order-api: <order_api::Pg as order_api::Store>::insert, ms of CPU per request";
        assert_eq!(
            figures[0],
            json!({ "name": "all sampled services, ms of CPU per request", "value": 0.5 })
        );
        assert_eq!(figures[1], json!({ "name": insert, "value": 0.25 }));
        assert_eq!(figures.as_array().map(Vec::len), Some(3));
    }
}
