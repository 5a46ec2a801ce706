//! What callgrind writes, and what it means that a number in it has grown. Pure.
//!
//! The format: <https://valgrind.org/docs/manual/cl-format.html>. A name is written once, as `(7) name`, and then as `(7)`. A line of
//! numbers is a cost of the current function; the one after `calls=` is what a call has cost, which belongs to the callee too.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

/// Functions that are listed.
const LISTED: usize = 10;
/// Smallest growth that is listed, as a share of the whole order.
const LEAST: f64 = 0.001;
/// What is ours: for these, what they call is counted with them, because growth in `memcpy` says nothing about who copies.
const OURS: [&str; 6] = ["order_api", "order_worker", "user_service", "chassis_", "contracts", "pipeline"];

/// Instructions by function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Of the function itself.
    own: BTreeMap<String, u64>,
    /// Of what it called, for our functions.
    called: BTreeMap<String, u64>,
}

impl Counts {
    /// Reads a file of callgrind.
    pub(crate) fn read(text: &str) -> Self {
        let (mut counts, mut names) = (Self::default(), Names::default());
        let (mut current, mut columns, mut call) = (String::new(), 1, false);
        for line in text.lines() {
            if let Some(positions) = line.strip_prefix("positions:") {
                columns = positions.split_whitespace().count();
            } else if let Some(name) = line.strip_prefix("fn=") {
                current = names.name(name);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                // It may be the one place where the name is written out.
                names.name(name);
            } else if line.starts_with("calls=") {
                call = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
                let cost = line.split_whitespace().nth(columns).and_then(|cost| cost.parse::<u64>().ok());
                let cost = cost.unwrap_or(0);
                if !call {
                    *counts.own.entry(current.clone()).or_default() += cost;
                } else if OURS.iter().any(|ours| current.contains(ours)) {
                    *counts.called.entry(current.clone()).or_default() += cost;
                }
                call = false;
            }
        }
        counts
    }
}

/// Names by their numbers.
#[derive(Debug, Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// The name that `(7) name`, `(7)` or `name` stands for.
    fn name(&mut self, text: &str) -> String {
        let Some((number, name)) = text.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
            return plain(text);
        };
        if name.trim().is_empty() {
            return self.0.get(number).cloned().unwrap_or_default();
        }
        let name = plain(name.trim());
        self.0.insert(number.to_owned(), name.clone());
        name
    }
}

/// Without what differs between two builds of the same function: the hash, and the mark of a recursion.
fn plain(name: &str) -> String {
    let name =
        name.rsplit_once('\'').filter(|(_, mark)| mark.parse::<u32>().is_ok()).map_or(name, |(name, _)| name);
    let hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.rsplit_once("::h").filter(|(_, rest)| hash(rest)).map_or(name, |(name, _)| name).to_owned()
}

/// Instructions of one order, by function.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PerOrder {
    own: BTreeMap<String, f64>,
    /// With what they call; of our functions.
    whole: BTreeMap<String, f64>,
}

impl PerOrder {
    /// From two runs, of which the second has `orders` more.
    pub(crate) fn of(few: &Counts, many: &Counts, orders: f64) -> Self {
        let at = |counts: &BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or(0) as f64;
        let own = |name: &String| (name.clone(), (at(&many.own, name) - at(&few.own, name)) / orders);
        let whole = |name: &String| {
            let run = |counts: &Counts| at(&counts.own, name) + at(&counts.called, name);
            (name.clone(), (run(many) - run(few)) / orders)
        };
        Self {
            own: many.own.keys().chain(few.own.keys()).map(own).collect(),
            whole: many.called.keys().chain(few.called.keys()).map(whole).collect(),
        }
    }

    fn total(&self) -> f64 {
        self.own.values().sum()
    }
}

/// What to print, and whether the growth is within `budget`.
pub(crate) fn verdict(before: &PerOrder, after: &PerOrder, budget: f64) -> (String, bool) {
    let (a, b) = (before.total(), after.total());
    let growth = if a > 0.0 { b / a - 1.0 } else { 0.0 };
    // Without a count there is nothing that could have grown.
    let within = a > 0.0 && growth <= budget;
    let word = if within { "within" } else { "BEYOND" };
    let mut text = format!(
        "instructions per order: {a:.0} before, {b:.0} now, {:+.2} % ({word} the budget of {:.1} %)\n",
        growth * 100.0,
        budget * 100.0
    );
    table(&mut text, "functions that grew, without what they call", &before.own, &after.own, a);
    table(&mut text, "our functions that grew, with what they call", &before.whole, &after.whole, a);
    (text, within)
}

fn table(
    text: &mut String,
    title: &str,
    before: &BTreeMap<String, f64>,
    after: &BTreeMap<String, f64>,
    total: f64,
) {
    let was = |name: &String| before.get(name).copied().unwrap_or(0.0);
    let mut grown: Vec<(&String, f64, f64)> = after
        .iter()
        .map(|(name, now)| (name, was(name), *now))
        .filter(|(_, was, now)| now - was > total * LEAST)
        .collect();
    if grown.is_empty() {
        return;
    }
    grown.sort_by(|a, b| (b.2 - b.1).total_cmp(&(a.2 - a.1)));
    let _ = writeln!(text, "\n{title}:\n{:>12}{:>12}{:>10}  function", "before", "now", "of order");
    for (name, was, now) in grown.iter().take(LISTED) {
        let _ = writeln!(text, "{was:>12.0}{now:>12.0}{:>+9.2}%  {name}", (now - was) / total * 100.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `place` costs `place` itself, and calls `copy` with `copy`; the runtime around them costs 1,000 and calls both.
    fn file(place: u64, copy: u64) -> String {
        format!(
            "version: 1\npositions: line\nevents: Ir\n\nfl=(1) api.rs\nfn=(1) order_api::place::h0123456789abcdef\n16 {place}\n\
             cfi=(2) memory.c\ncfn=(2) copy\ncalls=3 40\n+2 {copy}\n* 0\n\nfl=(2)\nfn=(2)\n40 {copy}\n\nfn=(3) runtime'2\n1 1000\n\
             cfn=(1)\ncalls=1 16\n2 {}\n",
            place + copy
        )
    }

    #[test]
    fn costs_belong_to_functions_and_those_of_calls_to_the_callee() {
        let counts = Counts::read(&file(500, 70));
        let own: Vec<(&str, u64)> = counts.own.iter().map(|(name, cost)| (name.as_str(), *cost)).collect();
        assert_eq!(own, [("copy", 70), ("order_api::place", 500), ("runtime", 1_000)]);
        assert_eq!(counts.called.get("order_api::place"), Some(&70));
        assert_eq!(counts.called.len(), 1, "of others, what they call is not listed");
    }

    #[test]
    fn a_function_that_grew_is_named_with_its_caller() {
        let orders = |place: u64, copy: u64| {
            let (few, many) = (Counts::read(&file(place, copy)), Counts::read(&file(place * 11, copy * 11)));
            PerOrder::of(&few, &many, 10.0)
        };
        let (before, after) = (orders(1_000, 1_000), orders(1_000, 1_200));
        let (text, within) = verdict(&before, &after, 0.05);
        assert!(!within && text.contains("2000 before, 2200 now, +10.00 % (BEYOND"), "{text}");
        let line = |name: &str| text.lines().any(|line| line.ends_with(name) && line.contains("+10.00%"));
        assert!(line("  copy") && line("  order_api::place"), "{text}");
        assert!(!text.contains("runtime"), "start-up cancels out: {text}");
        assert!(verdict(&before, &after, 0.12).1 && verdict(&before, &before, 0.0).1);
    }

    #[test]
    fn what_grew_is_named_by_function_and_more_than_a_twentieth_fails() {
        let orders = |copy: u64| {
            let (few, many) = (Counts::read(&file(1_000, copy)), Counts::read(&file(11_000, copy * 11)));
            PerOrder::of(&few, &many, 10.0)
        };
        for (copy, percent, passes) in [(1_098, "+4.90%", true), (1_102, "+5.10%", false)] {
            let (text, within) = verdict(&orders(1_000), &orders(copy), 0.05);
            let named = |name: &str| text.lines().any(|line| line.ends_with(name) && line.contains(percent));
            assert!(within == passes && named("  copy") && named("  order_api::place"), "{text}");
        }
    }

    #[test]
    fn nothing_counted_is_no_pass() {
        assert!(!verdict(&PerOrder::default(), &PerOrder::default(), 0.05).1);
    }

    #[test]
    fn instructions_may_have_addresses_and_names_no_numbers() {
        let text = "positions: instr line\nevents: Ir\nfn=main\n0x1000 12 30\n+4 +1 5\n";
        assert_eq!(Counts::read(text).own.get("main"), Some(&35));
    }
}
