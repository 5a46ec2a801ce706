//! May a commit that a person wrote be what should run? It has to be readable, its rules have to pass their cases within their
//! cost, and somebody else has to have approved it. Versions and canaries are not changed by hand: they would escape the judge.

use crate::desired::{Desired, Service, Tree, read};

/// The trailer of a commit's message by which somebody approves it.
pub const TRAILER: &str = "Approved-by: ";

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// Its message.
    pub message: String,
    /// How many parents it has.
    pub parents: usize,
}

/// Everything that is wrong with it, each in a sentence; nothing: it may. `before` is what should run until then, and
/// `failures` is what the tests of its rules say.
#[must_use]
pub fn refusals(commit: &Commit, before: Option<&Desired>, tree: &Tree, failures: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    if commit.parents > 1 {
        wrong.push("it merges: expected one commit after the other".to_owned());
    }
    match read(tree) {
        Err(problems) => wrong.extend(problems.0.iter().map(ToString::to_string)),
        Ok(after) => {
            wrong.extend(versions(before, &after));
            wrong.extend(canaries(before, &after));
        }
    }
    wrong.extend_from_slice(failures);
    wrong.extend(unapproved(commit));
    wrong
}

/// Services whose version is changed by hand: the commit would say what runs nowhere. A service that is new here has one to begin with.
fn versions(before: Option<&Desired>, after: &Desired) -> Vec<String> {
    let changed = move |(name, service): (&String, &Service)| {
        let (was, is) = (&before?.services.get(name)?.version, &service.version);
        (was != is).then(|| {
            format!("the version of {name} is set by hand, from {was} to {is}: `lab release start {name} --version {is}` does that")
        })
    };
    after.services.iter().filter_map(changed).collect()
}

/// Services whose canary is set by hand.
fn canaries(before: Option<&Desired>, after: &Desired) -> Vec<String> {
    let was = |name: &String| before.and_then(|before| before.services.get(name)?.canary.as_ref());
    let set = after.services.iter().filter(|(name, service)| service.canary.as_ref() != was(name));
    set.map(|(name, _)| {
        format!("the canary of {name} is set by hand: only a release that is judged may do that")
    })
    .collect()
}

/// Why its approvals are not enough.
fn unapproved(commit: &Commit) -> Option<String> {
    let author = commit.author.trim().to_lowercase();
    let mut approvers = approvers(&commit.message).into_iter().peekable();
    if approvers.peek().is_none() {
        return Some(
            "nobody has approved it: `lab gitops propose`, and somebody else `lab gitops approve`".to_owned(),
        );
    }
    let other = approvers.any(|approver| approver.to_lowercase() != author);
    (!other).then(|| format!("{} wrote it and approved it: somebody else has to", commit.author.trim()))
}

/// Who approves, by the message.
#[must_use]
pub fn approvers(message: &str) -> Vec<String> {
    let named = message.lines().filter_map(|line| line.strip_prefix(TRAILER)).map(str::trim);
    named.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "services: {order-api: {version: v1}}\n";
    const CANARY: &str = "services: {order-api: {version: v1, canary: {version: v2, weight: 5}}}\n";

    fn tree(text: &str) -> Tree {
        Tree::from([("desired.yaml".to_owned(), text.to_owned())])
    }

    fn commit(message: &str) -> Commit {
        Commit { id: "c1".to_owned(), author: "Ada".to_owned(), message: message.to_owned(), parents: 1 }
    }

    #[test]
    fn what_somebody_else_approved_may() {
        let approved = commit("Less load\n\nApproved-by: eve\n");
        assert_eq!(refusals(&approved, None, &tree(TEXT), &[]), Vec::<String>::new());
        let both = commit("Less load\n\nApproved-by: ada\nApproved-by: eve\n");
        assert!(refusals(&both, None, &tree(TEXT), &[]).is_empty());
    }

    #[test]
    fn what_nobody_or_only_its_author_approved_may_not() {
        for (message, expected) in [
            ("Less load", "nobody has approved it"),
            ("Less load\n\nApproved-by:  \n", "nobody has approved it"),
            ("Less load\n\nApproved-by: ada\n", "Ada wrote it and approved it"),
        ] {
            let wrong = refusals(&commit(message), None, &tree(TEXT), &[]);
            assert!(wrong.len() == 1 && wrong[0].starts_with(expected), "{message:?}: {wrong:?}");
        }
    }

    #[test]
    fn every_reason_is_said_at_once() {
        let mut merge = commit("Less load");
        merge.parents = 2;
        let failures = ["waf/a.yaml: costs more than 100 steps".to_owned()];
        let wrong = refusals(&merge, None, &tree("services: {}\n"), &failures);
        assert_eq!(wrong.len(), 4, "{wrong:?}");
    }

    #[test]
    fn a_canary_is_not_set_by_hand_and_one_that_is_there_may_stay() {
        let approved = commit("Less load\n\nApproved-by: eve\n");
        let wrong = refusals(&approved, read(&tree(TEXT)).ok().as_ref(), &tree(CANARY), &[]);
        assert!(wrong.len() == 1 && wrong[0].contains("the canary of order-api"), "{wrong:?}");
        assert!(refusals(&approved, read(&tree(CANARY)).ok().as_ref(), &tree(CANARY), &[]).is_empty());
        let stopped = refusals(&approved, read(&tree(CANARY)).ok().as_ref(), &tree(TEXT), &[]);
        assert_eq!(stopped.len(), 1, "nor taken away: the release would not know");
    }

    #[test]
    fn a_version_is_not_changed_by_hand_and_a_new_service_has_one() {
        let approved = commit("Less load\n\nApproved-by: eve\n");
        let before = read(&tree(TEXT)).ok();
        let wrong = refusals(&approved, before.as_ref(), &tree(&TEXT.replace("v1", "v2")), &[]);
        let expected = "the version of order-api is set by hand, from v1 to v2: `lab release start order-api --version v2` does that";
        assert_eq!(wrong, [expected]);
        let more = "services: {order-api: {version: v1}, user-service: {version: v7}}\n";
        assert!(refusals(&approved, before.as_ref(), &tree(more), &[]).is_empty());
        assert!(refusals(&approved, None, &tree(TEXT), &[]).is_empty(), "the first state");
    }
}
