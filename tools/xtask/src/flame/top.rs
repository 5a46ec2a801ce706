//! The largest costs of several services as a table. Pure.
//!
//! A sample belongs to the innermost of our functions in its stack: to the one that is doing something itself, or that called the
//! library or the kernel that is. So nothing is counted twice, and `main` is not the largest cost.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{OURS, stacks::Stacks};

/// A table in Markdown with the `count` functions that cost most, of services that were sampled at the same time and rate.
pub(crate) fn table(sampled: &[(&str, Stacks)], count: usize) -> String {
    let total: u64 = sampled.iter().map(|(_, stacks)| stacks.total()).sum();
    let share = |samples: u64| samples as f64 / total.max(1) as f64 * 100.0;
    let mut costs: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for (service, stacks) in sampled {
        for (stack, samples) in stacks.iter() {
            if let Some(function) = stack.iter().rev().find(|function| is_ours(function)) {
                *costs.entry((*service, named(function))).or_default() += samples;
            }
        }
    }
    let ours: u64 = costs.values().sum();
    let mut costs: Vec<_> = costs.into_iter().collect();
    costs.sort_by_key(|(_, samples)| std::cmp::Reverse(*samples));
    let mut text =
        "| service | function, with the libraries and the kernel that it calls | share of all samples |\n\
                    |---|---|---|\n"
            .to_owned();
    for ((service, function), samples) in costs.iter().take(count) {
        let _ = writeln!(text, "| {service} | `{function}` | {:.1} % |", share(*samples));
    }
    let _ = writeln!(
        text,
        "\n{total} samples, {:.1} % of them below our functions; the others are libraries alone, such as the runtime.",
        share(ours)
    );
    text
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
        let text = table(&[("order-api", api), ("order-worker", worker)], 2);
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            rows[0], "| order-api | `<order_api::Pg as order_api::Store>::insert` | 50.0 % |",
            "{text}"
        );
        assert_eq!(rows[1], "| order-api | `order_api::place` | 20.0 % |", "{text}");
        assert!(rows[2].is_empty() && rows[3].starts_with("100 samples, 85.0 % of them"), "{text}");
    }
}
