//! The fault of a runbook's page: the first `lab break …` in "Try it in the lab".

use std::{fs, time::Duration};

use anyhow::{Context, Result};

use crate::home::Home;

/// Pages that need more than a lab on this machine, and what.
pub(super) const ELSEWHERE: &[(&str, &str)] = &[
    ("ContainerOomKilled", "it needs Kubernetes"),
    ("DeadLetters", "what its fault writes stays wrong, so that it comes back however often it is replayed"),
    ("DiskAlmostFull", "it needs a small disk of its own"),
    ("DiskFilling", "it needs a small disk of its own"),
    ("ErrorsLogged", "it needs Loki"),
    ("NotificationsFailing", "the control room that runs it is what has to be frozen"),
    ("PodCrashLooping", "it needs Kubernetes"),
];

/// A fault, as the page sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The service.
    pub(super) service: String,
    /// The fault.
    pub(super) name: String,
    /// Its parameters, with the ttl.
    pub(super) parameters: Vec<(String, String)>,
    /// How long it lasts if nobody ends it.
    pub(super) ttl: Duration,
    /// Whether the page forgets the spent budget afterwards: without that, its alert lasts.
    pub(super) forgets: bool,
}

/// The fault of each page that has one, by runbook.
pub(super) fn all(home: &Home) -> Result<Vec<(String, Fault)>> {
    let folder = home.root.join("runbooks");
    let mut faults = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|ending| ending == "md")
            && let Some(fault) = of(home, &name)?
        {
            faults.push((name, fault));
        }
    }
    faults.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(faults)
}

/// The fault of a page, if it has one.
pub(super) fn of(home: &Home, name: &str) -> Result<Option<Fault>> {
    let path = home.root.join(format!("runbooks/{name}.md"));
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(read(&text))
}

fn read(text: &str) -> Option<Fault> {
    let (_, section) = text.split_once("\n## Try it in the lab\n")?;
    let line = section.lines().find_map(|line| line.trim().strip_prefix("lab break "))?;
    let mut words = line.split('#').next()?.split_whitespace();
    let (service, name) = (words.next()?.to_owned(), words.next()?.to_owned());
    let parameters: Vec<(String, String)> = words
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let ttl = parameters.iter().find(|(name, _)| name == "ttl");
    // What is over at once, such as a process that dies, has none.
    let ttl = ttl.and_then(|(_, ttl)| humantime::parse_duration(ttl).ok()).unwrap_or_default();
    Some(Fault { service, name, parameters, ttl, forgets: section.contains("lab slo reset") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_breaks_something_counts() {
        let page = "# A\n\n## Try it in the lab\n\n```sh\nlab break order-api http-error rate=0.2 ttl=5m   # a fifth\n\
                    lab break order-api other\nlab slo reset\n```\n";
        let parameters = [("rate", "0.2"), ("ttl", "5m")];
        let fault = Fault {
            service: "order-api".to_owned(),
            name: "http-error".to_owned(),
            parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            ttl: Duration::from_secs(300),
            forgets: true,
        };
        assert_eq!(read(page), Some(fault));
        assert_eq!(read("# A\n\nlab break order-api http-error\n"), None, "only in its section");
        let over = read("\n## Try it in the lab\n\nlab break order-worker crash\n").unwrap();
        assert_eq!((over.ttl, over.forgets), (Duration::ZERO, false));
    }
}
