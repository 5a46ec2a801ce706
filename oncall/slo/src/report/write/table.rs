//! A table with a title, as text, Markdown and HTML.

use chassis_text::markup::content;

use crate::report::Format;

/// A cell, and the state that its colour shows in HTML. The words say it too: never colour alone.
#[derive(Debug, Clone)]
pub(in crate::report) struct Cell {
    text: String,
    class: &'static str,
}

/// What a report shows.
#[derive(Debug, Clone)]
pub(in crate::report) struct Page {
    /// Heading.
    pub(in crate::report) title: &'static str,
    /// When, and on which clock.
    pub(in crate::report) about: String,
    /// Heads of the columns.
    pub(in crate::report) heads: Vec<String>,
    /// As many cells per row as there are heads, and a note below the row, which only the text shows.
    pub(in crate::report) rows: Vec<(Vec<Cell>, Option<String>)>,
    /// Sentences below the table.
    pub(in crate::report) notes: Vec<String>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, class: "" }
    }
}

impl Cell {
    /// A cell in the colour of a state: `healthy`, `at-risk`, `violated` or `no-data`.
    pub(in crate::report) const fn of(class: &'static str, text: String) -> Self {
        Self { text, class }
    }
}

impl Page {
    /// The page in one of the formats for people; JSON is written from the data instead.
    pub(in crate::report) fn write(&self, format: Format) -> String {
        match format {
            Format::Markdown => self.markdown(),
            Format::Html => self.html(),
            Format::Text | Format::Json => self.text(),
        }
    }

    /// Columns as wide as needed.
    fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|(cells, _)| cells[column].text.chars().count());
            cells.chain([self.heads[column].chars().count()]).max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..self.heads.len()).map(width).collect();
        let mut text =
            format!("{}\n\n{}\n", self.about, line(self.heads.iter().map(String::as_str), &widths));
        for (cells, note) in &self.rows {
            text.push_str(&line(cells.iter().map(|cell| cell.text.as_str()), &widths));
            text.push('\n');
            text.extend(note.iter().map(|note| format!("  {note}\n")));
        }
        if !self.notes.is_empty() {
            text.push_str(&format!("\n{}\n", self.notes.join("\n")));
        }
        text
    }

    fn markdown(&self) -> String {
        let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = format!("# {}\n\n{}.\n\n", self.title, self.about);
        text.push_str(&row(&self.heads));
        text.push_str(&row(&self.heads.iter().map(|_| "---".to_owned()).collect::<Vec<_>>()));
        for (cells, _) in &self.rows {
            let cells: Vec<_> = cells.iter().map(|cell| cell.text.replace('|', "\\|")).collect();
            text.push_str(&row(&cells));
        }
        for note in &self.notes {
            text.push_str(&format!("\n{note}\n"));
        }
        text
    }

    /// One page that loads nothing from elsewhere.
    fn html(&self) -> String {
        let heads: String =
            self.heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", content(head))).collect();
        let cell = |cell: &Cell| match cell.class {
            "" => format!("<td>{}</td>", content(&cell.text)),
            class => format!("<td class=\"s {class}\">{}</td>", content(&cell.text)),
        };
        let row = |(cells, _): &(Vec<Cell>, Option<String>)| {
            format!("<tr>{}</tr>\n", cells.iter().map(cell).collect::<String>())
        };
        let rows: String = self.rows.iter().map(row).collect();
        let notes: String = self.notes.iter().map(|note| format!("<p>{}</p>\n", content(note))).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title><style>{STYLE}</style></head>\n\
             <body><h1>{0}</h1><p>{1}</p>\n<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table>\n{notes}</body></html>\n",
            self.title,
            content(&self.about),
        )
    }
}

/// Cells in columns of these widths.
fn line<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let padded = cells.zip(widths).map(|(cell, width)| format!("{cell:width$}"));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1f24;background:#fff}\
table{border-collapse:collapse}th,td{padding:.4rem .8rem;text-align:left;border-bottom:1px solid #d0d7de}\
.healthy{color:#116329}.at-risk{color:#7d4e00}.violated{color:#a40e26}.no-data{color:#57606a}td.s{font-weight:600}";
