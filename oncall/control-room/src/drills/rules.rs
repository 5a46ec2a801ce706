//! Pushes a rule of the firewall for a drill: everywhere at once, as somebody did who was in a hurry, or in a way that
//! has to stop it, because an action item of the drill is switched on.

use drill::model::Way;
use switchboard::{Action as Switch, Outcome};

use super::switch::{INSIST, LONGEST, SECOND, judge};
use crate::{actions::token, room::Room};

/// Pushes a rule. At once, it stays until it is taken back, and no longer than any drill may last.
///
/// # Errors
/// Why not, in a sentence; of the other ways, that nothing has stopped it.
pub(super) async fn push(room: &Room, service: &str, rule: &str, way: Way) -> Result<(), String> {
    let file = room.content.incident_rule(rule);
    let file = file.ok_or_else(|| format!("there is no rule `{rule}` in waf/incidents"))?;
    let canary = match way {
        Way::AtOnce => return insist(room, service, rule, &file).await,
        Way::Staged => return staged(room, service, rule, &file).await,
        Way::OneFirst(first) => Some(humantime::format_duration(first).to_string()),
    };
    let (target, rule) = (service.to_owned(), rule.to_owned());
    let push = Switch::PushRule { target, rule, file, canary };
    // Once: what was stopped must not be tried until it gets through.
    match push.run(&room.eyes.place, &room.eyes.tools, token(room)).await {
        Ok(outcomes) => stopped(&outcomes),
        Err(error) => Err(error.to_string()),
    }
}

/// Pushes a rule to every edge; an edge that was restarted a moment ago does not answer yet.
async fn insist(room: &Room, service: &str, rule: &str, file: &str) -> Result<(), String> {
    let mut tries = 1;
    loop {
        match everywhere(room, service, rule, file).await {
            Err(_) if tries < INSIST => tries += 1,
            done => return done,
        }
        tokio::time::sleep(SECOND).await;
    }
}

/// The same, once. It ends by itself, should the run be lost.
async fn everywhere(room: &Room, service: &str, rule: &str, file: &str) -> Result<(), String> {
    let edges =
        room.eyes.place.replicas(Some(service), token(room)).await.map_err(|error| error.to_string())?;
    if edges.is_empty() {
        return Err(format!("{service} has no replica"));
    }
    for edge in edges {
        let pushed = edge.push_rule_for(rule, file.to_owned(), LONGEST.as_secs()).await;
        pushed.map_err(|error| format!("{edge}: {error}"))?;
    }
    Ok(())
}

/// Whether the first edge has stopped the rule for its cost.
fn stopped(outcomes: &[Outcome]) -> Result<(), String> {
    if outcomes.iter().any(Outcome::is_too_costly) {
        return Ok(());
    }
    judge(outcomes)?;
    Err("the rule cost little in the first edge, and every edge has it".to_owned())
}

/// Tries the cases of a rule in an edge in which it is off: they are the synthetic traffic, and no request of a customer
/// meets the rule. They have to stop it.
async fn staged(room: &Room, service: &str, rule: &str, file: &str) -> Result<(), String> {
    let text = |error: switchboard::Error| error.to_string();
    let edges = room.eyes.place.replicas(Some(service), token(room)).await.map_err(text)?;
    let edge = edges.first().ok_or_else(|| format!("{service} has no replica"))?;
    let tried = edge.push_rule(rule, off(file)).await.map_err(text)?;
    edge.restore_rule(rule).await.map_err(text)?;
    let failures = tried.rest.get("failures").and_then(|failures| failures.as_array());
    match failures {
        Some(failures) if !failures.is_empty() => Ok(()),
        Some(_) => Err(format!("all cases of {rule} pass within its cost: nothing stops it")),
        None => Err(format!("{edge} does not say which cases of {rule} fail")),
    }
}

/// The file of a rule that does nothing to requests.
fn off(file: &str) -> String {
    let line =
        |line: &str| if line.starts_with("mode:") { "mode: 'off'\n".to_owned() } else { format!("{line}\n") };
    file.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    fn outcome(ok: bool, text: &str) -> Outcome {
        Outcome { replica: "edge".to_owned(), ok, text: text.to_owned() }
    }

    #[test]
    fn a_push_is_stopped_only_if_the_first_edge_has_taken_the_rule_back_for_its_cost() {
        let costly = "the rule x costs too much, and was taken back: it took 95 % of a processor";
        assert_eq!(stopped(&[outcome(false, costly), outcome(false, "was spared")]), Ok(()));
        let gone = stopped(&[outcome(false, "connection refused")]).unwrap_err();
        assert_eq!(gone, "edge: connection refused", "nothing is known of the rule");
        let through = stopped(&[outcome(true, "in force"), outcome(true, "in force")]).unwrap_err();
        assert!(through.contains("every edge has it"), "{through}");
        assert!(stopped(&[]).is_err());
    }

    #[test]
    fn a_rule_that_is_tried_is_the_same_but_for_its_mode() {
        let file =
            Content::open(None).unwrap().incident_rule("inline-script").expect("the rule of the outage");
        let off = off(&file);
        assert!(file.contains("\nmode: simulate\n") && off.contains("\nmode: 'off'\n"), "{off}");
        let rest = |text: &str| text.lines().filter(|line| !line.starts_with("mode:")).count();
        assert_eq!((off.lines().count(), rest(&off)), (file.lines().count(), rest(&file)));
    }
}
