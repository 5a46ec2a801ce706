//! The report as text, Markdown and HTML.

use super::{Line, Report};
use crate::window::{humane, percent};

/// Column heads of the tables.
const HEADS: [&str; 8] =
    ["SLO", "status", "objective", "SLI", "budget left", "burn rate", "exhausted in", "firing"];

/// A share with enough digits for four nines.
pub(super) fn share(share: f64) -> String {
    percent((share * 1e5).round() / 1e5)
}

fn cells(line: &Line) -> [String; 8] {
    let known =
        |value: Option<f64>, write: &dyn Fn(f64) -> String| value.map_or_else(|| "-".to_owned(), write);
    let current =
        line.burn_rates.iter().find(|(window, _)| *window == line_window(line)).map(|(_, rate)| *rate);
    let lasts = |seconds: f64| {
        if seconds >= line.period.secs() { format!("over {}", line.period) } else { humane(seconds) }
    };
    let firing: Vec<_> =
        line.firing.iter().map(|alert| format!("{} {}", alert.severity, alert.long_window)).collect();
    [
        line.slo.clone(),
        line.status.as_str().to_owned(),
        percent(line.objective),
        known(line.sli, &share),
        known(line.budget_remaining, &share),
        known(current, &|rate| format!("{rate:.2} x")),
        known(line.time_to_exhaustion_seconds, &lasts),
        firing.join(", "),
    ]
}

/// The window of the burn rate in the table: the long one of the fastest page, as in `slo:current_burn_rate:ratio`.
fn line_window(line: &Line) -> crate::Window {
    let mut windows = line.burn_rates.iter().map(|(window, _)| *window);
    // Shortest first: 5 m, 30 m, 1 h.
    windows.nth(2).unwrap_or(line.period)
}

/// Columns as wide as needed, and the burn rates over every window for objectives that are not healthy.
pub(super) fn text(report: &Report) -> String {
    let rows: Vec<_> = report.slos.iter().map(cells).collect();
    let heads = HEADS.map(str::to_owned);
    let width = |column: usize| {
        std::iter::once(&heads).chain(&rows).map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..HEADS.len()).map(width).collect();
    let line = |row: &[String; 8]| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = format!(
        "{}, {} clock\n\n{}\n",
        report.at.format("%Y-%m-%d %H:%M:%S UTC"),
        report.clock,
        line(&heads)
    );
    for (row, slo) in rows.iter().zip(&report.slos) {
        text.push_str(&line(row));
        text.push('\n');
        if slo.status != super::Status::Healthy && !slo.burn_rates.is_empty() {
            let rates = slo.burn_rates.iter().map(|(window, rate)| format!("{window} {rate:.2} x"));
            text.push_str(&format!(
                "  burn rate over {}; owner {}\n",
                rates.collect::<Vec<_>>().join(", "),
                slo.owner
            ));
        }
    }
    text
}

/// A table.
pub(super) fn markdown(report: &Report) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text =
        format!("# SLO report\n\n{}, {} clock.\n\n", report.at.format("%Y-%m-%d %H:%M:%S UTC"), report.clock);
    text.push_str(&row(&HEADS.map(str::to_owned)));
    text.push_str(&row(&HEADS.map(|_| "---".to_owned())));
    for line in &report.slos {
        text.push_str(&row(&cells(line).map(|cell| cell.replace('|', "\\|"))));
    }
    text
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1f24;background:#fff}\
table{border-collapse:collapse}th,td{padding:.4rem .8rem;text-align:left;border-bottom:1px solid #d0d7de}\
.healthy{color:#116329}.at-risk{color:#7d4e00}.violated{color:#a40e26}.no-data{color:#57606a}td.s{font-weight:600}";

/// One page that loads nothing from elsewhere.
pub(super) fn html(report: &Report) -> String {
    let heads = HEADS.map(|head| format!("<th scope=\"col\">{head}</th>")).concat();
    let mut rows = String::new();
    for line in &report.slos {
        let class = line.status.as_str().replace(' ', "-");
        let cells = cells(line);
        rows.push_str("<tr>");
        for (at, cell) in cells.iter().enumerate() {
            let class = if at == 1 { format!(" class=\"s {class}\"") } else { String::new() };
            rows.push_str(&format!("<td{class}>{}</td>", escape(cell)));
        }
        rows.push_str("</tr>\n");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>SLO report</title><style>{STYLE}</style></head>\n\
         <body><h1>SLO report</h1><p>{}, {} clock</p>\n<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table></body></html>\n",
        report.at.format("%Y-%m-%d %H:%M:%S UTC"),
        report.clock
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
