//! What `perf script` prints, as stacks with their number of samples. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// Stacks, from the outermost function to the innermost, with their samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stacks(BTreeMap<Vec<String>, u64>);

/// A function with its shares of all samples, from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cost {
    /// Its name.
    pub(crate) function: String,
    /// While it ran itself.
    pub(crate) own: f64,
    /// While it, or what it called, ran.
    pub(crate) whole: f64,
}

impl Stacks {
    /// Reads the output of `perf script --fields comm,ip,sym`: for each sample a line with the thread, a line for each function, the
    /// innermost first, and an empty line.
    pub(crate) fn read(text: &str) -> Self {
        let mut stacks = Self::default();
        let mut stack: Vec<String> = Vec::new();
        // The last sample may lack its empty line.
        for line in text.lines().chain([""]) {
            let line = line.trim_end();
            if line.starts_with(char::is_whitespace) {
                let symbol =
                    line.trim_start().split_once(char::is_whitespace).map(|(_, symbol)| symbol.trim());
                stack.push(plain(symbol.unwrap_or("[unknown]")));
            } else if line.is_empty() && !stack.is_empty() {
                stack.reverse();
                *stacks.0.entry(std::mem::take(&mut stack)).or_default() += 1;
            }
        }
        stacks
    }

    /// Samples.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Every stack with its samples, in the order of their functions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[String], u64)> {
        self.0.iter().map(|(stack, samples)| (stack.as_slice(), *samples))
    }

    /// A line for each stack, `main;run;parse 42`: what other tools for flame graphs read.
    pub(crate) fn folded(&self) -> String {
        let mut text = String::new();
        for (stack, samples) in self.iter() {
            let _ = writeln!(text, "{} {samples}", stack.join(";"));
        }
        text
    }

    /// Functions by their own cost, the largest first.
    pub(crate) fn costs(&self) -> Vec<Cost> {
        let total = self.total().max(1) as f64;
        let mut seen: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (stack, samples) in self.iter() {
            if let Some(innermost) = stack.last() {
                seen.entry(innermost).or_default().0 += samples;
            }
            // Once for each stack, however often it calls itself.
            for function in stack.iter().collect::<BTreeSet<_>>() {
                seen.entry(function).or_default().1 += samples;
            }
        }
        let cost = |(function, (own, whole)): (&str, (u64, u64))| Cost {
            function: function.to_owned(),
            own: own as f64 / total,
            whole: whole as f64 / total,
        };
        let mut costs: Vec<Cost> = seen.into_iter().map(cost).collect();
        costs.sort_by(|a, b| b.own.total_cmp(&a.own));
        costs
    }
}

/// Without the hash, and without what would end a name in the folded form.
fn plain(symbol: &str) -> String {
    let hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = symbol.rsplit_once("::h").filter(|(_, rest)| hash(rest)).map_or(symbol, |(name, _)| name);
    name.replace(';', ":")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two samples of one stack, and one of a function that calls itself.
    const SCRIPT: &str = "tokio-rt-worker \n\t    55d0 core::fmt::write::h0123456789abcdef\n\t    55d1 main\n\n\
         tokio-rt-worker \n\t    55d0 core::fmt::write\n\t    55d1 main\n\norder-api \n\t    7f01 walk\n\t    7f01 walk\n\t    55d1 main\n";

    #[test]
    fn samples_of_a_stack_are_counted_from_the_outermost_function() {
        let stacks = Stacks::read(SCRIPT);
        assert_eq!(stacks.total(), 3);
        assert_eq!(stacks.folded(), "main;core::fmt::write 2\nmain;walk;walk 1\n");
        assert_eq!(Stacks::read("").total(), 0);
        assert_eq!(Stacks::read("a \n\t 55d0\n").folded(), "[unknown] 1\n");
    }

    #[test]
    fn costs_are_own_and_whole_and_recursion_counts_once() {
        let costs = Stacks::read(SCRIPT).costs();
        let of = |name: &str| costs.iter().find(|cost| cost.function == name).unwrap();
        assert_eq!(costs[0].function, "core::fmt::write");
        assert!((of("walk").whole - 1.0 / 3.0).abs() < 1e-12 && (of("walk").own - 1.0 / 3.0).abs() < 1e-12);
        assert!((of("main").whole - 1.0).abs() < 1e-12 && of("main").own.abs() < 1e-12);
    }
}
