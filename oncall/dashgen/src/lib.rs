//! The lab's Grafana dashboards as code: one typed source, so that units, descriptions, legends and links are uniform.
//!
//! `model` defines what a board consists of, `boards` contains the boards, `grafana` renders them, `rules`
//! generates the recording rules that they query. `check` reads the JSON back, as Grafana would, for the tests.

pub mod boards;
pub mod check;
pub mod grafana;
pub mod link;
pub mod model;
pub mod query;
pub mod rules;

/// Every generated file: its path in the checkout, and its text.
#[must_use]
pub fn files() -> Vec<(String, String)> {
    let boards = boards::all();
    let mut files: Vec<_> = boards
        .iter()
        .map(|board| (format!("dashboards/grafana/{}.json", board.uid), grafana::render(board)))
        .collect();
    for clock in slo::Clock::ALL {
        files.push((format!("dashboards/rules/{clock}/boards.yml"), rules::file(clock)));
    }
    files
}
