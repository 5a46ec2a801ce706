//! `lab chaos pairs`: what each protection is worth. Every pair breaks the same thing twice, with the protection and
//! without it, and states by how much that differs; its page has both curves.

mod done;
mod healing;
mod measured;
mod page;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tokio_util::sync::CancellationToken;

use self::{
    done::{Done, conclude},
    page::Facts,
};
use super::{
    file::Experiment,
    pair::Pair,
    pass::AFTER,
    perform::{perform, until_stopped, write},
    possible, read_file,
    report::Report,
};
use crate::{
    commands::chaos::library,
    installation::Installation,
    terminal::{block, out, say},
};

/// Runs pairs: the same fault with a protection and without it, or with automation and without it. Each states in numbers
/// how much the two must differ. Exits with 0 if every pair holds, 1 if one does not, 2 if one is inconclusive
/// or could not be run: then the others are run all the same.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab chaos pairs --list                         the protections that have a pair, and how long each takes\n  \
    lab chaos pairs breaker                        one of them\n  \
    lab chaos pairs --write docs/drills            all of them, each with a page and its curves\n  \
    lab chaos pairs --write docs/drills --unmeasured\n                                                 \
    the rest: after Ctrl-C, or a change of some\n  \
    lab chaos pairs --automation --list            what is known of the pairs of automation\n  \
    lab chaos pairs --automation --markdown        all of them, kept one by one: more than an hour\n  \
    lab chaos pairs --automation --unmeasured --markdown\n                                                 \
    the rest: after Ctrl-C, or a change of some\n\n\
    A page is written if its pair holds. After that, `just generate` lists it in the book.")]
pub(in crate::commands::chaos) struct Pairs {
    /// Names of experiments, as `--list` shows them; by default all that take away a protection, or automation.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Write a page with both curves for each pair that holds to this folder, which has to be two folders below the
    /// checkout, such as docs/drills.
    #[arg(long, value_name = "FOLDER", group = "kept")]
    write: Option<PathBuf>,
    /// The pairs of automation and of the judge of a release, instead of those of protections.
    #[arg(long, conflicts_with = "write", group = "kept")]
    automation: bool,
    /// Keep in docs/measured/pairs.json how long it takes until all is well, with automation and without it, and write the table
    /// of docs/automation.md from that, after each pair.
    #[arg(long, requires = "automation")]
    markdown: bool,
    /// Leave out pairs that hold according to their page in the folder of `--write`, or to docs/measured/pairs.json. One whose
    /// experiment has changed since is run again.
    #[arg(long, requires = "kept")]
    unmeasured: bool,
    /// Only list them; those of automation with what docs/measured/pairs.json says.
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    list: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the table of the pairs of automation from what is kept; returns whether its page was different. Writes nothing if
/// `check`.
///
/// # Errors
/// When a file cannot be read or written.
pub(in crate::commands::chaos) fn table(root: &Path, check: bool) -> Result<bool> {
    healing::table(root, check)
}

/// An experiment that takes a protection away.
struct Chosen {
    name: String,
    experiment: Experiment,
    service: String,
    protection: String,
    /// What tells the text of the experiment.
    text: String,
}

impl Pairs {
    /// Runs the command.
    pub(in crate::commands::chaos) async fn run(self, place: &Installation) -> Result<ExitCode> {
        if self.automation {
            return healing::run(&self, place).await;
        }
        let mut chosen = self.chosen(place)?;
        if self.unmeasured {
            chosen.retain(|one| !one.has_page(self.write.as_deref()));
        }
        if self.list {
            chosen.iter().for_each(Chosen::list);
            let all: Duration = chosen.iter().map(|one| least(&one.experiment)).sum();
            out!("{} pairs, at least {}", chosen.len(), humantime::format_duration(all));
            return Ok(ExitCode::SUCCESS);
        }
        for one in chosen.iter().filter(|_| !place.in_cluster()) {
            possible(&one.experiment, place)?;
        }
        if let Some(folder) = &self.write {
            // Known at once, and not only when the first pair has run.
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let stop = until_stopped();
        let mut done = Vec::new();
        for (number, one) in chosen.iter().enumerate().take_while(|_| !stop.is_cancelled()) {
            let least = humantime::format_duration(least(&one.experiment));
            say(format_args!("pair {} of {}: {}, at least {least}", number + 1, chosen.len(), one.name));
            done.extend(Done::of(&one.name, self.one(place, one, &stop).await));
        }
        let names: Vec<&str> = chosen.iter().map(|one| one.name.as_str()).collect();
        conclude(&names, &done, self.json)
    }

    /// Runs a pair, and writes its page if it holds.
    async fn one(&self, place: &Installation, one: &Chosen, stop: &CancellationToken) -> Result<Report> {
        let summary = one.summary(place).await?;
        let report = perform(place, &one.experiment, stop).await?;
        if let (Some(folder), Some(true)) = (&self.write, report.holds) {
            let page = page::page(&one.facts(&summary), &report);
            write(folder, &one.name, &page, &report.pictures())?;
        } else if !self.json {
            block(&report.page(None));
        }
        Ok(report)
    }

    /// The named ones, or all.
    fn chosen(&self, place: &Installation) -> Result<Vec<Chosen>> {
        if self.names.is_empty() {
            let files = library::files(&place.home()?.root)?;
            let mut all = Vec::new();
            for file in &files {
                all.extend(Chosen::of(file)?);
            }
            return Ok(all);
        }
        let one = |name: &String| {
            let file = library::find(place, name)?;
            match Chosen::of(&file)? {
                Some(chosen) => Ok(chosen),
                None => bail!("{name} takes no protection away: see `lab chaos pairs --list`"),
            }
        };
        self.names.iter().map(one).collect()
    }
}

impl Chosen {
    /// The experiment of a file, if it takes a protection away.
    fn of(file: &Path) -> Result<Option<Self>> {
        let (name, experiment) = (library::stem(file), read_file(file)?);
        let Some(Pair::Protection { service, protection }) = experiment.pair.clone() else { return Ok(None) };
        Ok(Some(Self { name, experiment, service, protection, text: measured::text(file)? }))
    }

    /// Whether a folder has the page of a run of this experiment, as its file is now.
    fn has_page(&self, folder: Option<&Path>) -> bool {
        let page = folder.map(|folder| folder.join(format!("{}.md", self.name)));
        let page = page.and_then(|path| fs::read_to_string(path).ok());
        page.is_some_and(|page| page::is_of(&page, &self.text))
    }

    fn list(&self) {
        let least = humantime::format_duration(least(&self.experiment));
        let what = format!("{} of {}", self.protection, self.service);
        out!("{:<15} {what:<32} at least {least}", self.name);
    }

    /// What the protection does, as its service says.
    async fn summary(&self, place: &Installation) -> Result<String> {
        let Self { service, protection, .. } = self;
        let replicas = place.replicas(Some(service)).await?;
        let replica = replicas.first().with_context(|| format!("no replica of {service} runs"))?;
        let all = replica.protections().await?;
        let known = all.into_iter().find(|one| one.name == *protection);
        Ok(known.with_context(|| format!("{service} has no protection `{protection}`"))?.summary)
    }

    fn facts<'f>(&'f self, summary: &'f str) -> Facts<'f> {
        let Self { name, experiment, service, protection, text } = self;
        Facts { name, experiment, service, protection, summary, text }
    }
}

/// The least time that both passes take: until it is steady, the steps, and until it is steady again.
fn least(experiment: &Experiment) -> Duration {
    2 * (experiment.holds + experiment.length() + AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_a_protection_away_is_a_pair_and_says_by_how_much() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut pairs = Vec::new();
        for file in library::files(&root).unwrap() {
            pairs.extend(Chosen::of(&file).unwrap());
        }
        let names: Vec<&str> = pairs.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"breaker") && !names.contains(&"waf-canary"), "{names:?}");
        assert!(!names.contains(&"leaking-process") && !names.contains(&"cache-loss"), "{names:?}");
        for Chosen { name, experiment, service, .. } in &pairs {
            assert!(experiment.measures.iter().any(|one| one.least.is_some()), "{name} states no difference");
            assert!(!experiment.abort.is_empty() || name == "waf-guard", "{name} never stops by itself");
            assert!(experiment.scope.services.contains(service), "{name}");
            assert_eq!(experiment.here(), (true, false), "{name} needs more than `lab up`");
            assert!(least(experiment) < Duration::from_secs(180), "{name} takes {:?}", least(experiment));
        }
    }

    #[test]
    fn a_pair_is_left_out_if_its_page_is_of_the_same_experiment() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let breaker = Chosen::of(&root.join("drills/experiments/breaker.yaml")).unwrap().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let has_page = || breaker.has_page(Some(folder.path()));
        assert!(!has_page() && !breaker.has_page(None), "no page yet");
        let page = |text: &str| format!("# A\n\n{}\n", page::written_by("breaker", text));
        fs::write(folder.path().join("breaker.md"), page("0123456789ab")).unwrap();
        assert!(!has_page(), "the experiment has changed since");
        fs::write(folder.path().join("breaker.md"), page(&breaker.text)).unwrap();
        assert!(has_page());
    }
}
