//! A line per label set.

use maud::{Markup, html};

use super::{Drawing, nothing};
use crate::{
    data::{self, Cell, Labels},
    model::{Change, Field},
    scope::Clicked,
};

/// Most rows that are drawn.
const MOST: usize = 200;

pub(super) fn draw(drawing: &Drawing<'_>, changes: &[Change]) -> Markup {
    let table = data::table(&drawing.answer.series, &drawing.panel.queries, changes);
    if table.rows.is_empty() {
        return nothing("Nothing here", "No row matches now.");
    }
    let fields: Vec<Field> = table.columns.iter().map(|name| drawing.panel.field(name)).collect();
    let more = table.rows.len().saturating_sub(MOST);
    html! {
        div.b-table tabindex="0" role="region" aria-label=(drawing.panel.title) {
            table {
                thead { tr {
                    @for (name, field) in table.columns.iter().zip(&fields) {
                        th scope="col" class=(side(name)) { (field.title.as_ref().unwrap_or(name)) }
                    }
                } }
                tbody {
                    @for row in table.rows.iter().take(MOST) {
                        @let cells = cells(&table.columns, row);
                        tr {
                            @for ((name, field), value) in table.columns.iter().zip(&fields).zip(row) {
                                td class=(side(name)) { (cell(drawing, field, value, &cells)) }
                            }
                        }
                    }
                }
            }
            @if more > 0 { p { "and " (more) " more" } }
        }
    }
}

/// Numbers are on the right.
fn side(column: &str) -> &'static str {
    if column.starts_with("Value") { "b-number" } else { "b-label" }
}

/// The row as texts, for links.
fn cells(columns: &[String], row: &[Cell]) -> Labels {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Nothing => String::new(),
    };
    columns.iter().cloned().zip(row.iter().map(text)).collect()
}

fn cell(drawing: &Drawing<'_>, field: &Field, value: &Cell, row: &Labels) -> Markup {
    let (text, number) = match value {
        Cell::Text(text) => (text.clone(), None),
        Cell::Number(number) => (field.show(*number), Some(*number)),
        Cell::Nothing => (String::new(), None),
    };
    let colour = number.filter(|_| field.coloured).and_then(|number| field.colour(number));
    let class = colour.map(|colour| format!("b-coloured k-{}", colour.name()));
    // Links that say nothing about the row are in the panel's head.
    let own = field.links.iter().filter(|link| link.url.contains("${__data.fields."));
    let links: Vec<_> = own.cloned().collect();
    let links = drawing.links(&links, Clicked { labels: None, cells: Some(row) });
    html! {
        span class=[class] {
            @if let Some((title, url)) = links.first() { a href=(url) title=(title) { (text) } } @else { (text) }
        }
        @for (title, url) in links.iter().skip(1) { " " a.b-more href=(url) { (title) } }
    }
}
