//! What can be done in the firewall of the edge. To push a rule is not here: rules come through the repository.

use switchboard::RuleMode;

use super::form::{Group, Offer, choice, target, text};
use crate::room::Room;

/// The service that has a firewall.
pub(super) const EDGE: &str = "edge";

pub(super) fn group(room: &Room) -> Group {
    let rule = |help: &'static str| text("rule", "Rule", "", help);
    let modes = RuleMode::ALL.map(|mode| (mode.name().to_owned(), mode.name().to_owned())).into_iter().rev();
    let set = Offer {
        action: "set_rule",
        word: "Set a rule",
        help: "Switches one rule off, or lets it only count what it would block. Its searches end, and requests that \
               wait are checked against the others.",
        fields: vec![
            target(room, EDGE),
            rule("Its name, as on the dashboard of the edge."),
            choice("mode", "To", modes.collect()),
        ],
    };
    let switches = [("false", "off: every request passes unchecked"), ("true", "on")];
    let switches = switches.map(|(value, text)| (value.to_owned(), text.to_owned()));
    let kill = Offer {
        action: "switch_firewall",
        word: "Use the kill switch",
        help: "It helps at once against a rule that takes all of the processor, whichever it is. Nothing blocks \
               attacks meanwhile.",
        fields: vec![target(room, EDGE), choice("enabled", "The firewall is", switches.to_vec())],
    };
    let back = Offer {
        action: "restore_rule",
        word: "Take rules back",
        help: "What was set is taken back, and the files decide again. A rule that was only pushed is gone.",
        fields: vec![target(room, EDGE), rule("Its name; empty: all rules, and the kill switch.")],
    };
    let limit = Offer {
        action: "limit_clients",
        word: "Limit every client",
        help: "Clients above the limit get 429. It helps against a client that sends too much, and against nothing \
               that a few requests can do.",
        fields: vec![
            target(room, EDGE),
            text("rps", "Requests per second", "", "A number; empty: the limit ends."),
            text("burst", "At once", "", "A number; empty: those of a second."),
        ],
    };
    let offers = vec![kill, set, back, limit];
    Group { id: "firewall".to_owned(), title: "Firewall".to_owned(), note: "", offers }
}
