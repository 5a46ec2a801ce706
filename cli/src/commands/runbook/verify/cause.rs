//! What a runbook's page breaks, and how that is taken back: read from its section "Try it in the lab".

use std::time::Duration;

/// How long what has no ttl lasts, if nobody ends it.
const BY_HAND: Duration = Duration::from_secs(120);

/// What breaks the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// A fault, with its parameters. It ends by itself.
    Fault { name: String, parameters: Vec<(String, String)> },
    /// The process is frozen.
    Freeze,
    /// The load generator sends nothing.
    NoLoad,
    /// The words after `lab` of the command that breaks something, and of the one that takes it back.
    Command { breaks: Vec<String>, restores: Vec<String> },
}

/// What a section breaks: the service or the part, the cause, and how long it lasts.
pub(super) fn read(section: &str) -> Option<(String, Cause, Duration)> {
    let lines = || section.lines().map(str::trim);
    if let Some(line) = lines().find_map(|line| line.strip_prefix("lab break ")) {
        return fault(line);
    }
    if let Some(breaks) = lines().find(|line| line.starts_with("lab waf ")) {
        let restores = lines().rfind(|line| line.starts_with("lab waf restore"))?;
        let cause = Cause::Command { breaks: words(breaks), restores: words(restores) };
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

/// A fault with its service, from what follows `lab break`.
fn fault(line: &str) -> Option<(String, Cause, Duration)> {
    let mut words = line.split('#').next()?.split_whitespace();
    let (service, name) = (words.next()?.to_owned(), words.next()?.to_owned());
    let parameters: Vec<(String, String)> = words
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let ttl = parameters.iter().find(|(name, _)| name == "ttl");
    // What is over at once, such as a process that dies, has none.
    let ttl = ttl.and_then(|(_, ttl)| humantime::parse_duration(ttl).ok()).unwrap_or_default();
    Some((service, Cause::Fault { name, parameters }, ttl))
}

/// The words after `lab`, without a comment.
fn words(line: &str) -> Vec<String> {
    let line = line.split('#').next().unwrap_or_default();
    line.split_whitespace().skip(1).map(str::to_owned).collect()
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
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let cause =
            Cause::Command { breaks: words("waf disable scanners"), restores: words("waf restore scanners") };
        assert_eq!(read(waf), Some(("edge".to_owned(), cause, BY_HAND)));
        let load = "curl -X PUT 'localhost:9105/rate?rps=0'   # the page comes\n";
        assert_eq!(read(load), Some(("load".to_owned(), Cause::NoLoad, BY_HAND)));
        let frozen = "pid=$(lab status --json | jq '.parts[] | select(.name == \"redis\").pid')\n\
                      kill -STOP $pid; sleep 30; kill -CONT $pid\n";
        assert_eq!(read(frozen), Some(("redis".to_owned(), Cause::Freeze, BY_HAND)));
        assert_eq!(read("lab psql fulfillment -c \"insert\"\n"), None);
    }
}
