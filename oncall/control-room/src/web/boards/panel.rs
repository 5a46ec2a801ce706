//! One panel on the page: its head, with what it means and where it leads, and its picture or why there is none.

use boards::{
    Panel,
    draw::Mark,
    model::{Kind, Link, Query, Source},
    range::encode,
    scope::Clicked,
};
use maud::{Markup, PreEscaped, html};

use super::{
    ask::{Asked, Asking},
    sources::Trouble,
};
use crate::web::parts::{Tone, glyph, markdown};

/// The runbooks of the project, which are pages here.
const RUNBOOKS: &str = "http://localhost:8080/runbooks/";

/// The panel.
pub(super) fn draw(
    asking: &Asking<'_>,
    panel: &Panel,
    asked: &Result<Asked, Trouble>,
    marks: &[Mark],
) -> Markup {
    let place = panel.place;
    let class = format!("b-panel gx-{} gy-{} gw-{} gh-{}", place.x, place.y, place.w, place.h);
    let id = format!("panel-{}", panel.id);
    let json = json(asking, panel);
    html! {
        article class=(class) id=(id) aria-labelledby={ (id) "-title" } {
            header {
                h3 id={ (id) "-title" } title=(panel.title) { (panel.title) }
                (about(asking, panel))
            }
            div.b-body {
                @match asked {
                    Ok(asked) => {
                        @if let Kind::Text(text) = &panel.kind { div.b-text tabindex="0" { (markdown(text)) } }
                        (here(asked.drawing(asking.scope, panel, marks, Some(&json)).draw()))
                    },
                    Err(trouble) => { (failed(trouble)) },
                }
            }
        }
    }
}

/// The address of the data of the panel.
fn json(asking: &Asking<'_>, panel: &Panel) -> String {
    let scope = asking.scope;
    let variables = scope.query();
    let and = if variables.is_empty() { "" } else { "&" };
    format!("/d/{}/panels/{}.json?{}{and}{variables}", asking.board.uid, panel.id, scope.range.query())
}

/// Runbooks are read here, so that the link works without the internet.
fn here(drawn: Markup) -> Markup {
    if drawn.0.contains(RUNBOOKS) { PreEscaped(drawn.0.replace(RUNBOOKS, "/runbooks/")) } else { drawn }
}

fn failed(trouble: &Trouble) -> Markup {
    html! {
        div.b-trouble tabindex="0" {
            p { (glyph(Tone::Warn)) " " strong { (trouble.title) } }
            code { (trouble.detail) }
        }
    }
}

/// What the panel means, what a click on it offers, and its queries.
fn about(asking: &Asking<'_>, panel: &Panel) -> Markup {
    let links: Vec<&Link> = panel.field.links.iter().filter(|link| !of_a_value(link)).collect();
    let queries = panel.queries.iter().filter(|query| query.source == Source::Prometheus);
    html! {
        details.b-about {
            summary aria-label={ "About " (panel.title) } title="What it means, and where it leads" { "⋯" }
            div {
                @if !panel.description.is_empty() { p { (panel.description) } }
                @if !links.is_empty() {
                    ul { @for link in links {
                        li { a href=(asking.scope.url(&link.url, Clicked::default())) { (link.title) } }
                    } }
                }
                ul { @for query in queries { li { (explore(asking, panel, query)) } } }
            }
        }
    }
}

/// Whether a link is about one series or row.
fn of_a_value(link: &Link) -> bool {
    link.url.contains("${__field.") || link.url.contains("${__data.")
}

fn explore(asking: &Asking<'_>, panel: &Panel, query: &Query) -> Markup {
    let step =
        asking.scope.range.step(boards::draw::points(panel), query.every.unwrap_or(asking.scope.scrape));
    let expr = asking.scope.expr(query, step);
    let url = format!("/explore?query={}&{}", encode(&expr), asking.scope.range.query());
    html! { a href=(url) { "Explore query " (query.name) } }
}

#[cfg(test)]
mod tests {
    use boards::Board;

    use super::*;

    #[test]
    fn the_stylesheet_has_a_place_for_every_panel_of_the_committed_boards() {
        let css = include_str!("../assets/boards.css");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dashboards/grafana");
        let mut panels = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let board = Board::read("x", &std::fs::read_to_string(path).unwrap()).unwrap();
            for panel in board.panels() {
                let place = panel.place;
                for (class, number) in [("gx", place.x), ("gy", place.y), ("gw", place.w), ("gh", place.h)] {
                    assert!(
                        css.contains(&format!(".{class}-{number} {{")),
                        "{}: {class}-{number}",
                        panel.title
                    );
                }
                panels += 1;
            }
        }
        assert!(panels > 200, "{panels}");
    }

    #[test]
    fn a_runbook_is_read_here() {
        let shown =
            here(html! { a href={ (RUNBOOKS) "HighErrorRate.md" } { "HighErrorRate" } }).into_string();
        assert_eq!(shown, "<a href=\"/runbooks/HighErrorRate.md\">HighErrorRate</a>");
    }
}
