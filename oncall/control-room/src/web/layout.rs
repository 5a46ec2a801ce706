//! The frame of every page: navigation, the strip that says whether something is wrong, the content.
//!
//! A live page is fetched again every two seconds and morphed into what is shown, so that focus, scroll and open details stay.
//! Without a script it is a page like any other.

use axum::response::{IntoResponse, Response};
use chrono::Utc;
use maud::{DOCTYPE, Markup, html};

use super::{assets, strip::strip};
use crate::{access::Visitor, room::Room};

/// Which part of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumCount, strum::VariantArray)]
pub(crate) enum Tab {
    /// What is going on.
    Now,
    /// Incidents.
    Incidents,
    /// Dashboards.
    Dashboards,
    /// Queries, traces, logs.
    Explore,
    /// Alerts, objectives and runbooks.
    Alerts,
    /// What changes the system.
    Actions,
    /// Releases and the figures of delivery.
    Releases,
    /// Who is on call.
    OnCall,
    /// Postmortems, measures and playbooks.
    Postmortems,
    /// Drills and game days.
    Drills,
    /// Faults and protections, for instructors.
    Faults,
}

impl Tab {
    const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Its name, its address, and the key that leads there after `g`.
    const fn entry(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Now => ("Now", "/", "n"),
            Self::Incidents => ("Incidents", "/incidents", "i"),
            Self::Dashboards => ("Dashboards", "/dashboards", "d"),
            Self::Explore => ("Explore", "/explore", "e"),
            Self::Alerts => ("Alerts and SLOs", "/alerts", "a"),
            Self::Actions => ("Actions", "/actions", "x"),
            Self::Releases => ("Releases", "/releases", "v"),
            Self::Drills => ("Drills", "/drills", "r"),
            Self::OnCall => ("On-call", "/oncall", "o"),
            Self::Faults => ("Faults", "/faults", "f"),
            Self::Postmortems => ("Postmortems", "/postmortems", "p"),
        }
    }
}

/// What the frame needs to know about a page.
pub(crate) struct Page<'p> {
    /// Its title, for the window.
    pub(crate) title: &'p str,
    /// Where it belongs.
    pub(crate) active: Tab,
    /// Who looks.
    pub(crate) visitor: &'p Visitor,
    /// Whether it follows what is going on.
    pub(crate) live: bool,
}

/// A whole document.
pub(crate) struct Html(pub(crate) Markup);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        axum::response::Html(self.0.into_string()).into_response()
    }
}

/// A page with its frame.
#[allow(clippy::needless_pass_by_value, reason = "callers write it in place")]
pub(crate) fn page(room: &Room, page: &Page<'_>, body: Markup) -> Html {
    let strip = strip(room, Utc::now(), !page.live);
    let open = room.desk.open_ones().len();
    let title = if open == 0 { page.title.to_owned() } else { format!("({open}) {}", page.title) };
    let poll = |value: &'static str| page.live.then_some(value);
    Html(document(
        &title,
        &html! {
            (navigation(page))
            div.content {
                div #live hx-get=[poll("")] hx-trigger=[poll("every 2s, news")] hx-select=[poll("#live")]
                    hx-swap=[poll("outerMorph")] {
                    (strip)
                    main #main tabindex="-1" { (body) }
                }
                p #stale.callout.warn role="status" hidden {
                    strong { "This page is not up to date." } " The control room has not answered since " span #stale-since {} "."
                }
            }
            (shortcuts())
        },
    ))
}

/// A page without a room: errors, and the way in.
#[allow(clippy::needless_pass_by_value, reason = "callers write it in place")]
pub(crate) fn bare(title: &str, body: Markup) -> Html {
    Html(document(
        title,
        &html! {
            div.content.bare {
                header.bare-head { a.brand href="/" { (assets::mark()) "SRE Lab" } }
                main #main tabindex="-1" { (body) }
            }
        },
    ))
}

/// Settings of htmx: no style of its own, and a refresh leaves open what a person has opened.
const HTMX: &str = r#"{"includeIndicatorCSS":false,"history":false,"defaultTimeout":5000,"morphIgnore":["data-htmx-powered","open"]}"#;

fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX);
                title { (title) " · SRE Lab" }
                link rel="stylesheet" href=(assets::href("room.css"));
                link rel="icon" type="image/svg+xml" href=(assets::href("icon.svg"));
                // Before anything is painted, so that a dark page does not flash.
                script src=(assets::href("theme.js")) {}
                script defer src=(assets::href("htmx.js")) {}
                script defer src=(assets::href("uplot.js")) {}
                script defer src=(assets::href("room.js")) {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                (body)
            }
        }
    }
}

fn navigation(page: &Page<'_>) -> Markup {
    let shown = |tab: &Tab| *tab != Tab::Faults || page.visitor.is_instructor();
    html! {
        header.side {
            a.brand href="/" { (assets::mark()) "SRE Lab" }
            nav aria-label="Pages" {
                ul {
                    @for tab in Tab::ALL.into_iter().filter(shown) {
                        @let (name, path, key) = tab.entry();
                        li {
                            a href=(path) data-key=(key) aria-current=[(tab == page.active).then_some("page")] { (name) }
                        }
                    }
                }
            }
            div.side-foot {
                a.who href="/login" title="Change who you are" {
                    span.who-name { (page.visitor.name) }
                    span.muted { @if page.visitor.is_instructor() { "instructor" } @else { "responder" } }
                }
                button.button.quiet type="button" data-theme-toggle hidden { "Light or dark" }
                button.button.quiet type="button" data-keys hidden title="Keyboard shortcuts" { "Keys " kbd { "?" } }
            }
        }
    }
}

/// What the keyboard can do; the script shows it at `?`.
fn shortcuts() -> Markup {
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keyboard" }
            dl.kv {
                @for tab in Tab::ALL {
                    @let (name, _, key) = tab.entry();
                    dt { kbd { "g" } " " kbd { (key) } }
                    dd { (name) }
                }
                dt { kbd { "j" } " " kbd { "k" } } dd { "Next and previous item of a list" }
                dt { kbd { "/" } } dd { "First field of the page" }
                dt { kbd { "t" } } dd { "Light or dark" }
                dt { kbd { "?" } } dd { "This help" }
            }
            form method="dialog" { button.button.quiet type="submit" { "Close" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_page_has_its_own_address_and_key() {
        let paths: BTreeSet<&str> = Tab::ALL.iter().map(|tab| tab.entry().1).collect();
        let keys: BTreeSet<&str> = Tab::ALL.iter().map(|tab| tab.entry().2).collect();
        assert_eq!((paths.len(), keys.len()), (Tab::ALL.len(), Tab::ALL.len()));
    }

    #[test]
    fn the_document_has_no_inline_script_and_no_inline_style() {
        let shown = bare("Test", html! { p { "x" } }).0.into_string();
        assert!(shown.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{shown}");
        assert!(!shown.contains("style=") && !shown.contains("<style") && !shown.contains(" on"), "{shown}");
        assert_eq!(shown.matches("<script").count(), shown.matches("></script>").count(), "{shown}");
        assert!(serde_json::from_str::<serde_json::Value>(HTMX).is_ok());
    }
}
