//! Escalation policies as sentences. Waits are those of production; if the clock runs faster here, the page says both.

use std::time::Duration;

use maud::{Markup, html};
use rota::{Policy, Rota, Step, Target, Windows};

use super::title;
use crate::web::parts::{duration, empty};

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) fn draw(rota: &Rota, speed: u32) -> Markup {
    if rota.policies.is_empty() {
        return empty(
            "No escalation policy.",
            html! { "Nobody is notified when an incident opens. Add policies to " code { "oncall.yaml" } "." },
        );
    }
    html! {
        div.grid {
            @for policy in &rota.policies {
                article.card {
                    h3 { (heading(policy)) " " span.muted { (policy.name) } }
                    ol.steps { @for step in &policy.steps { li { (words(rota, step, speed)) } } }
                    p.muted { (rest(policy, speed)) }
                }
            }
        }
    }
}

fn heading(policy: &Policy) -> String {
    if policy.severities.is_empty() {
        return "All other severities".to_owned();
    }
    policy.severities.iter().map(|number| format!("SEV-{number}")).collect::<Vec<_>>().join(", ")
}

fn words(rota: &Rota, step: &Step, speed: u32) -> String {
    match step {
        Step::Wait(time) => format!("Wait {}.", wait(*time, speed)),
        Step::Notify(target) => format!("Notify {}.", whom(rota, target)),
        Step::OnlyDuring(windows) => format!("Go on only {}.", when(windows)),
        Step::OnlyAfter { count, within } => {
            format!("Go on only after {count} alerts within {}.", wait(*within, speed))
        }
        Step::Webhook(name) => format!("Call the webhook {name}."),
    }
}

fn whom(rota: &Rota, target: &Target) -> String {
    match target {
        Target::Person(name) => title(rota, name).to_owned(),
        Target::Schedule(name) => format!("who is on call in {name}"),
        Target::RoundRobin(names) => {
            let names: Vec<&str> = names.iter().map(|name| title(rota, name)).collect();
            format!("one of {}, in turn", names.join(", "))
        }
    }
}

fn rest(policy: &Policy, speed: u32) -> String {
    let again = match policy.repeat {
        0 => "The steps are done once.".to_owned(),
        1 => "Then all of it once more.".to_owned(),
        times => format!("Then all of it {times} more times."),
    };
    let holds = match policy.ack_expires {
        Some(time) => format!("An acknowledgement holds {}; afterwards it starts again.", wait(time, speed)),
        None => "It ends with an acknowledgement.".to_owned(),
    };
    format!("{again} {holds}")
}

/// A time as it is written, and as it is here.
fn wait(time: Duration, speed: u32) -> String {
    let written = duration(time.as_secs_f64());
    if speed <= 1 {
        written
    } else {
        format!("{written} ({} here)", duration(time.as_secs_f64() / f64::from(speed)))
    }
}

fn when(windows: &Windows) -> String {
    let one = |window: &rota::windows::Window| {
        let (from, until) = (window.from.format("%H:%M"), window.until.format("%H:%M"));
        format!("{} from {from} to {until}", days(&window.days))
    };
    let all: Vec<String> = windows.windows.iter().map(one).collect();
    format!("{} ({})", all.join(", or "), windows.zone)
}

/// `Monday to Friday`, `Monday, Wednesday`, `every day`.
fn days(days: &[bool; 7]) -> String {
    let on: Vec<usize> = (0..7).filter(|day| days[*day]).collect();
    match on.as_slice() {
        [] => "never".to_owned(),
        [_, .., _] if on.len() == 7 => "every day".to_owned(),
        [first, _, .., last] if last - first + 1 == on.len() => {
            format!("{} to {}", DAYS[*first], DAYS[*last])
        }
        some => some.iter().map(|day| DAYS[*day]).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_as_people_say_them() {
        let of = |on: &[usize]| std::array::from_fn(|day| on.contains(&day));
        assert_eq!(days(&of(&[0, 1, 2, 3, 4])), "Monday to Friday");
        assert_eq!(days(&of(&[0, 2])), "Monday, Wednesday");
        assert_eq!(days(&of(&[5, 6])), "Saturday, Sunday");
        assert_eq!(days(&[true; 7]), "every day");
    }

    #[test]
    fn the_committed_policies_are_read_as_sentences() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oncall.yaml");
        let rota = rota::read("oncall.yaml", &std::fs::read_to_string(file).unwrap()).unwrap();
        let shown = draw(&rota, 60).into_string();
        for text in [
            "SEV-1, SEV-2",
            "Notify who is on call in first-line.",
            "Wait 15\u{a0}min (15\u{a0}s here).",
            "Notify Fay Ibrahim.",
            "Then all of it 2 more times. An acknowledgement holds 30\u{a0}min (30\u{a0}s here)",
            "Go on only Monday to Friday from 09:00 to 17:00 (Europe/Berlin).",
        ] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        assert!(draw(&rota, 1).into_string().contains("Wait 15\u{a0}min."));
    }
}
