//! Log lines by service, level, text and trace; the page follows the newest.

use axum::{
    extract::{RawQuery, State},
    response::Redirect,
};
use boards::{
    draw::{Entry, entries},
    range::Range,
};
use maud::{Markup, html};
use observe::logs::{LEVELS, Line};

use super::{
    Kind,
    asked::Asked,
    note::{self, Found},
    tabs,
};
use crate::{
    access::{Form, Visitor},
    error::Error,
    eyes::Wanted,
    room::Room,
    web::{
        boards::{entry, quick_ranges},
        failure::Answer,
        layout::{Page, Tab, page},
        parts::{Tone, button, empty, select, text_field, unreachable},
    },
};

/// Lines that are shown.
const LINES: usize = 300;

pub(super) async fn show(State(room): State<Room>, visitor: Visitor, RawQuery(query): RawQuery) -> Answer {
    let asked = Asked::read(query.as_deref());
    let range = asked.range()?;
    let wanted = wanted(&asked, &range);
    let found = match room.eyes.logs.lines(&wanted).await {
        // The address is wrong, not the log.
        Err(error @ Error::Field { .. }) => return Err(error.into()),
        found => found,
    };
    let live = range.written.1 == "now";
    let body = html! {
        div.stack.b-explore {
            (tabs(Kind::Logs, &asked.context(&range)))
            (form(&room, &visitor, &asked, &range))
            (quick_ranges(&range.written.0, &range.written.1, |from| asked.with_range("/explore/logs", from, "now")))
            @match found {
                Err(error) => { (unreachable("The log", &error.to_string())) },
                Ok(lines) => {
                    @let shown = newest(&lines, &range);
                    (note::form(&room, &visitor, &asked, &Found {
                        query: &question(&wanted), answer: &words(&shown),
                        link: &asked.link("/explore/logs", &range),
                    }))
                    (list(&shown, live))
                },
            }
        }
    };
    Ok(page(&room, &Page { title: "Logs", active: Tab::Explore, visitor: &visitor, live }, body))
}

/// Looks for lines for an incident, whose timeline says so, and leads to the page.
pub(super) async fn run(
    State(room): State<Room>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answer<Redirect> {
    let asked = Asked::sent(fields);
    let range = asked.range()?;
    let link = asked.link("/explore/logs", &range);
    let wanted = wanted(&asked, &range);
    let answer = match room.eyes.logs.lines(&wanted).await {
        Err(error @ Error::Field { .. }) => return Err(error.into()),
        Err(error) => error.to_string(),
        Ok(lines) => words(&newest(&lines, &range)),
    };
    note::ran(&room, &visitor, &asked, &Found { query: &question(&wanted), answer: &answer, link: &link })
        .await
}

fn wanted(asked: &Asked, range: &Range) -> Wanted {
    Wanted {
        services: asked.given("service").map(str::to_owned).into_iter().collect(),
        level: asked.given("level").map(str::to_owned),
        text: asked.given("text").map(str::to_owned),
        trace: asked.given("trace").map(str::to_owned),
        since: range.from,
        limit: LINES,
    }
}

/// Those in the time range, the newest first.
fn newest(lines: &[Line], range: &Range) -> Vec<Entry> {
    lines.iter().rev().filter(|line| line.time <= range.until).map(entry).collect()
}

fn list(shown: &[Entry], live: bool) -> Markup {
    html! {
        section.card aria-label="Lines" {
            @if shown.is_empty() {
                (empty("No line.", html! { "Nothing was logged that matches, in this time range." }))
            } @else {
                p.muted {
                    @if shown.len() == LINES { "The newest " (LINES) " lines" } @else { (shown.len()) " lines" }
                    ", newest first" @if live { "; new ones appear by themselves" } "."
                }
                (entries(shown))
            }
        }
    }
}

fn form(room: &Room, visitor: &Visitor, asked: &Asked, range: &Range) -> Markup {
    let pair = |value: &str, text: &str| (value.to_owned(), text.to_owned());
    let mut services = vec![pair("", "all")];
    services.extend(room.eyes.services().iter().map(|name| pair(name, name)));
    let chosen = asked.text("service");
    if !services.iter().any(|(name, _)| name == chosen) {
        services.push(pair(chosen, chosen));
    }
    let mut levels = vec![pair("", "all")];
    levels.extend(LEVELS.iter().map(|level| pair(level, &format!("{level} and above"))));
    let fields = html! {
        (select("logs", "service", "Service", &services, chosen))
        (select("logs", "level", "Level", &levels, &asked.text("level").to_ascii_uppercase()))
        (text_field("logs", "text", "Text", asked.text("text"), ""))
        (text_field("logs", "trace", "Trace", asked.text("trace"), ""))
        (text_field("logs", "from", "From", &range.written.0, ""))
        (text_field("logs", "to", "To", &range.written.1, ""))
        (button("Show", Tone::Info))
    };
    note::query(room, visitor, asked, "/explore/logs", &fields)
}

/// What was asked, in a line.
fn question(wanted: &Wanted) -> String {
    let service = wanted.services.first().map_or("all services", String::as_str);
    let mut all = format!("log lines of {service}");
    let parts = [("level", &wanted.level), ("text", &wanted.text), ("trace", &wanted.trace)];
    for (name, value) in parts {
        if let Some(value) = value {
            all.push_str(&format!(", {name} {value}"));
        }
    }
    all
}

/// What was found, in a few lines.
fn words(shown: &[Entry]) -> String {
    if shown.is_empty() {
        return "no line".to_owned();
    }
    let line = |entry: &Entry| {
        format!("{} {} {}: {}", entry.at.format("%H:%M:%S"), entry.level, entry.part, entry.message)
    };
    let newest: Vec<String> = shown.iter().take(5).map(line).collect();
    format!("{} lines, the newest:\n{}", shown.len(), newest.join("\n"))
}
