//! `load results`: measurements that are kept in the checkout, listed and compared. Judges nothing: a difference
//! between two of them is also one between two moments of a machine, and `load compare` says whether it is more than
//! that.

mod kept;

use std::{io::Read, path::PathBuf};

use clap::{Args, Subcommand};
pub(super) use kept::{Archive, Figure, Kept};
use serde::Deserialize;

use super::{Stop, say};

/// Where measurements are kept, from the root of the checkout. git does not ignore it: commit those that a page or a
/// claim rests on.
pub(super) const FOLDER: &str = "load/results";

/// Measurements that are kept in the checkout: of `load capacity`, of `./lab bench`, and of what was run with --keep.
#[derive(Debug, Args)]
pub(super) struct Results {
    #[command(subcommand)]
    what: What,
    /// Where they are kept
    #[arg(long, default_value = FOLDER, value_name = "FOLDER", global = true)]
    kept: PathBuf,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print what is kept, the oldest first
    List {
        /// Only names that begin like this, such as capacity or bench-orders
        #[arg(default_value = "")]
        name: String,
    },
    /// Print two of them side by side, figure by figure
    Compare {
        /// A name or its beginning: then the latest of that name; or a file
        a: String,
        /// The same for the other
        b: String,
    },
    /// Keep figures of another program, which are read as JSON from standard input
    Add {
        /// What was measured, such as bench-orders
        what: String,
    },
}

/// What [`What::Add`] reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    figures: Vec<Figure>,
    #[serde(default)]
    notes: Vec<String>,
}

impl Results {
    pub(super) fn act(self) -> Result<u8, Stop> {
        let archive = Archive::at(&self.kept);
        match self.what {
            What::List { name } => list(&archive, &name)?,
            What::Compare { a, b } => {
                let (a, b) = (archive.find(&a)?, archive.find(&b)?);
                say(side_by_side(&a, &b)?.trim_end());
            }
            What::Add { what } => {
                if what.is_empty() || !what.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                    return Err(Stop::Usage(format!("`{what}` is not a name such as bench-orders")));
                }
                let text = std::io::read_to_string(std::io::stdin().take(LARGEST));
                let text = text.map_err(|error| Stop::File("standard input".to_owned(), error))?;
                let Measured { figures, notes } = serde_json::from_str(&text)
                    .map_err(|error| Stop::Usage(format!("standard input: {error}")))?;
                let path = archive.keep(&Kept::now(&what, figures, notes))?;
                say(&format!("kept as {}", path.display()));
            }
        }
        Ok(0)
    }
}

/// Longest input of [`What::Add`], in bytes.
const LARGEST: u64 = 1 << 20;

fn list(archive: &Archive, begins: &str) -> Result<(), Stop> {
    let all = archive.all()?;
    let named: Vec<_> = all.iter().filter(|(name, _)| name.starts_with(begins)).collect();
    if named.is_empty() {
        say(
            "nothing is kept: `load capacity`, `./lab bench`, and --keep of `load run` and `load compare` do so",
        );
    }
    for (name, kept) in named {
        say(&format!("{name}  {}  {}", kept.commit, kept.machine));
        for figure in &kept.figures {
            say(&format!("    {figure}"));
        }
        for note in &kept.notes {
            say(&format!("    {note}"));
        }
    }
    Ok(())
}

/// A table of the figures of both, those of A first.
fn side_by_side((a, left): &(String, Kept), (b, right): &(String, Kept)) -> Result<String, Stop> {
    if left.what != right.what {
        let (a, b) = (&left.what, &right.what);
        return Err(Stop::Usage(format!("A is of {a}, B of {b}: only like can be compared with like")));
    }
    let mut out =
        format!("A: {a}  {}  {}\nB: {b}  {}  {}\n", left.commit, left.machine, right.commit, right.machine);
    if left.machine != right.machine {
        out.push_str("They were measured on different machines.\n");
    }
    out.push_str(&format!("\n{:64}{:>14}{:>14}{:>10}\n", "", "A", "B", "change"));
    let value = |kept: &Kept, name: &str| {
        kept.figures.iter().find(|figure| figure.name == name).and_then(|figure| figure.value)
    };
    let names = left.figures.iter().chain(&right.figures).map(|figure| figure.name.as_str());
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let (a, b) = (value(left, name), value(right, name));
        let change = match (a, b) {
            (Some(a), Some(b)) if a != 0.0 => format!("{:+.1} %", (b / a - 1.0) * 100.0),
            _ => String::new(),
        };
        out.push_str(&format!("{name:64}{:>14}{:>14}{change:>10}\n", kept::number(a), kept::number(b)));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(what: &str, at: &str, value: f64) -> Kept {
        let figures =
            vec![Figure::of("orders per second", value).at_most(105.0), Figure::of("p99, ms", 20.0)];
        Kept { at: at.to_owned(), machine: "2 cores".to_owned(), ..Kept::now(what, figures, Vec::new()) }
    }

    #[test]
    fn two_measurements_are_compared_figure_by_figure_and_only_with_their_like() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::at(folder.path());
        archive.keep(&kept("bench-orders", "2026-11-29T12:00:00Z", 100.0)).unwrap();
        archive.keep(&kept("bench-orders", "2026-11-30T12:00:00Z", 110.0)).unwrap();
        archive.keep(&kept("bench-edge", "2026-11-30T12:00:00Z", 1.0)).unwrap();
        let find = |name: &str| archive.find(name).unwrap();
        // The beginning of a name is the latest of that name.
        let text = side_by_side(&find("bench-orders-2026-11-29"), &find("bench-orders")).unwrap();
        let line = text.lines().find(|line| line.starts_with("orders per second")).unwrap();
        let words: Vec<&str> = line.split_whitespace().skip(3).collect();
        assert_eq!(words, ["100.000", "110.000", "+10.0", "%"], "{text}");
        assert!(!text.contains("different machines"), "{text}");
        let stop = side_by_side(&find("bench-edge"), &find("bench-orders")).unwrap_err();
        assert_eq!(stop.exit_code(), 64);
    }
}
