//! What a runbook's page breaks, and how that is taken back: read from its section "Try it in the lab".

use std::time::Duration;

/// How long what has no ttl lasts, if nobody ends it.
const BY_HAND: Duration = Duration::from_secs(120);
/// Marks the line that takes back what the lines before it broke.
const RESTORES: &str = "# takes it back";
/// Marks the last line of what breaks something that ends by itself.
const ENDS: &str = "# ends by itself";
/// A block of the page, and its end.
const FENCE: &str = "```sh";
/// Lines that break nothing: the lab runs already, and others look at it or start the runbook.
const LOOKS: [&str; 5] = ["lab up ", "lab alerts", "lab pages", "lab logs ", "lab runbook "];

/// What breaks the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// A fault, with its parameters. It ends by itself.
    Fault { name: String, parameters: Vec<(String, String)> },
    /// The process is frozen.
    Freeze,
    /// The load generator sends nothing.
    NoLoad,
    /// Commands for a shell that break something, and those that take it back; none, if it ends by itself.
    Command { breaks: String, restores: Option<String> },
}

/// What a section breaks: the service or the part, the cause, and how long it lasts.
pub(super) fn read(section: &str) -> Option<(String, Cause, Duration)> {
    let lines = || section.lines().map(str::trim);
    if let Some(command) = command(section) {
        return Some(command);
    }
    if let Some(line) = lines().find_map(|line| line.strip_prefix("lab break ")) {
        return fault(line);
    }
    if let Some(breaks) = lines().find(|line| line.starts_with("lab waf ")) {
        let restores = lines().rfind(|line| line.starts_with("lab waf restore"))?;
        let cause = Cause::Command { breaks: breaks.to_owned(), restores: Some(restores.to_owned()) };
        return Some(("edge".to_owned(), cause, BY_HAND));
    }
    if lines().any(|line| line.contains("/rate?rps=0'")) {
        return Some(("load".to_owned(), Cause::NoLoad, BY_HAND));
    }
    if lines().any(|line| line.starts_with("kill -STOP $pid")) {
        let (_, rest) = section.split_once("select(.name == \"")?;
        let (part, _) = rest.split_once('"')?;
        return Some((part.to_owned(), Cause::Freeze, BY_HAND));
    }
    None
}

/// The commands of the first block that says how they end.
fn command(section: &str) -> Option<(String, Cause, Duration)> {
    let blocks = section.split(FENCE).skip(1);
    let mut blocks = blocks.filter_map(|block| block.split("\n```").next());
    let block = blocks.find(|block| block.contains(RESTORES) || block.contains(ENDS))?;
    let (mut breaks, mut restores) = (String::new(), None);
    for line in block.lines() {
        if line.contains(RESTORES) {
            restores = Some(line.trim().to_owned());
            break;
        }
        if !LOOKS.iter().any(|looks| line.starts_with(looks)) {
            breaks.push_str(&forever(line));
            breaks.push('\n');
        }
        if line.contains(ENDS) {
            break;
        }
    }
    let ttl = if restores.is_some() { BY_HAND } else { Duration::ZERO };
    Some((String::new(), Cause::Command { breaks: breaks.trim().to_owned(), restores }, ttl))
}

/// A line; a loop runs in the background until it is ended.
fn forever(line: &str) -> String {
    let line = line.trim_end();
    if !line.starts_with("while ") {
        return line.to_owned();
    }
    format!("{} &", line.split("   #").next().unwrap_or(line).trim_end())
}

/// A fault with its service, from what follows `lab break`.
fn fault(line: &str) -> Option<(String, Cause, Duration)> {
    let mut words = line.split('#').next()?.split_whitespace();
    let (service, name) = (words.next()?.to_owned(), words.next()?.to_owned());
    let parameters = pairs(words);
    let ttl = parameters.iter().find(|(name, _)| name == "ttl");
    // What is over at once, such as a process that dies, has none.
    let ttl = ttl.and_then(|(_, ttl)| humantime::parse_duration(ttl).ok()).unwrap_or_default();
    Some((service, Cause::Fault { name, parameters }, ttl))
}

/// What the page gives to its runbook, from the line that starts it.
pub(super) fn given(section: &str) -> Vec<(String, String)> {
    let line = section.lines().find_map(|line| line.trim().strip_prefix("lab runbook run "));
    line.map_or_else(Vec::new, |line| pairs(line.split('#').next().unwrap_or_default().split_whitespace()))
}

/// The words of the form `name=value`.
fn pairs<'w>(words: impl Iterator<Item = &'w str>) -> Vec<(String, String)> {
    let pairs = words.filter_map(|word| word.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_counts_before_everything_else() {
        let section = "```sh\nlab break order-api http-error rate=0.2 ttl=5m   # a fifth\nlab break order-api other\n\
                       lab waf restore\n```\n";
        let parameters = [("rate", "0.2"), ("ttl", "5m")];
        let cause = Cause::Fault {
            name: "http-error".to_owned(),
            parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        };
        assert_eq!(read(section), Some(("order-api".to_owned(), cause, Duration::from_secs(300))));
        let (_, _, ttl) = read("lab break order-worker crash\n").unwrap();
        assert_eq!(ttl, Duration::ZERO);
    }

    #[test]
    fn what_is_done_by_hand_is_read_with_what_takes_it_back() {
        let waf = "lab waf disable scanners   # all pass\nlab alerts\nlab waf restore scanners\n";
        let cause = Cause::Command {
            breaks: "lab waf disable scanners   # all pass".to_owned(),
            restores: Some("lab waf restore scanners".to_owned()),
        };
        assert_eq!(read(waf), Some(("edge".to_owned(), cause, BY_HAND)));
        let load = "curl -X PUT 'localhost:9105/rate?rps=0'   # the page comes\n";
        assert_eq!(read(load), Some(("load".to_owned(), Cause::NoLoad, BY_HAND)));
        let frozen = "pid=$(lab status --json | jq '.parts[] | select(.name == \"redis\").pid')\n\
                      kill -STOP $pid; sleep 30; kill -CONT $pid\n";
        assert_eq!(read(frozen), Some(("redis".to_owned(), Cause::Freeze, BY_HAND)));
        assert_eq!(read("lab psql fulfillment -c \"insert\"\n"), None, "nothing says how it ends");
    }

    #[test]
    fn commands_that_say_how_they_end_are_read_and_what_only_looks_is_not() {
        let section = "Try:\n\n```sh\nlab up --detach --replica\nlab psql orders -c '\n  select 1'\nlab alerts\n\
                       lab psql orders -c 'select 2'   # takes it back\nlab break order-api other\n```\n";
        let (_, cause, ttl) = read(section).unwrap();
        let restores = Some("lab psql orders -c 'select 2'   # takes it back".to_owned());
        let breaks = "lab psql orders -c '\n  select 1'".to_owned();
        assert_eq!((cause, ttl), (Cause::Command { breaks, restores }, BY_HAND));

        let once = "```sh\nlab psql orders -c '\n  insert'   # ends by itself\nlab logs --since 1m\n```\n";
        let (_, cause, ttl) = read(once).unwrap();
        let breaks = "lab psql orders -c '\n  insert'   # ends by itself".to_owned();
        assert_eq!((cause, ttl), (Cause::Command { breaks, restores: None }, Duration::ZERO));

        let looped =
            "```sh\nwhile sleep 1; do true; done   # Ctrl-C ends it\nlab status   # takes it back\n```\n";
        let Some((_, Cause::Command { breaks, .. }, _)) = read(looped) else { panic!("{:?}", read(looped)) };
        assert_eq!(breaks, "while sleep 1; do true; done &");
    }

    #[test]
    fn a_page_may_give_parameters_to_its_runbook() {
        let section = "```sh\nlab runbook run Many database=users older_than=5s   # now\n```\n";
        let expected = [("database", "users"), ("older_than", "5s")];
        assert_eq!(given(section), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(given("lab break order-api http-error rate=1").is_empty());
    }
}
