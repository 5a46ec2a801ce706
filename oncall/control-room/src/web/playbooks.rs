//! Playbooks: what people do in an incident, rendered from `docs/playbooks`.

use axum::{Router, extract::State, routing::get};
use chassis_http::Path;
use maud::html;

use super::{
    Area,
    failure::Answer,
    layout::{Html, Page, Tab, page},
    parts::{empty, markdown},
    postmortems::tabs,
};
use crate::{access::Visitor, error::Error, room::Room};

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router = Router::new().route("/playbooks", get(list)).route("/playbooks/{name}", get(show));
    (router, &[("GET", "/playbooks"), ("GET", "/playbooks/{name}")])
}

/// The heading of a page in Markdown, or its name.
fn title(text: &str, name: &str) -> String {
    let heading = text.lines().find_map(|line| line.strip_prefix("# "));
    heading.unwrap_or(name).trim().to_owned()
}

/// The paragraph after the heading.
fn lead(text: &str) -> String {
    let body = text.lines().skip_while(|line| line.starts_with('#') || line.trim().is_empty());
    body.take_while(|line| !line.trim().is_empty()).collect::<Vec<&str>>().join(" ")
}

async fn list(State(room): State<Room>, visitor: Visitor) -> Html {
    let books: Vec<(String, String)> = room
        .content
        .playbooks()
        .into_iter()
        .filter_map(|name| room.content.playbook(&name).map(|text| (name, text)))
        .collect();
    let body = html! {
        div.stack {
            (tabs("/playbooks"))
            h1 { "Playbooks" }
            @if books.is_empty() { (empty("No playbook.", html! { "They are Markdown files in " code { "docs/playbooks" } "." })) }
            div.grid {
                @for (name, text) in &books {
                    section.card {
                        h2 { a href={ "/playbooks/" (name) } data-item { (title(text, name)) } }
                        p.muted { (lead(text)) }
                    }
                }
            }
        }
    };
    page(&room, &Page { title: "Playbooks", active: Tab::Postmortems, visitor: &visitor, live: false }, body)
}

async fn show(State(room): State<Room>, visitor: Visitor, Path(name): Path<String>) -> Answer {
    // Playbooks link to each other as files.
    let name = name.strip_suffix(".md").unwrap_or(&name);
    let text = room.content.playbook(name).ok_or_else(|| Error::NoSuch {
        what: "playbook",
        name: name.to_owned(),
        known: room.content.playbooks().join(", "),
    })?;
    let title = title(&text, name);
    let body = html! { div.stack { (tabs("/playbooks")) article.card { (markdown(&text)) } } };
    Ok(page(&room, &Page { title: &title, active: Tab::Postmortems, visitor: &visitor, live: false }, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playbook_is_listed_by_its_heading_and_its_first_sentence() {
        let text = "# Declare an incident\n\nDo it\nearly.\n\n## When\n";
        assert_eq!(
            (title(text, "declare").as_str(), lead(text).as_str()),
            ("Declare an incident", "Do it early.")
        );
        assert_eq!(title("no heading", "x"), "x");
    }
}
