//! Every file of `dashboards/grafana` is accepted, and every one of its panels has a query that Prometheus could parse.

use std::collections::BTreeSet;

use boards::{
    Board,
    draw::points,
    model::{Kind, Source},
};

use crate::support::{committed, scope};

#[test]
fn every_committed_board_is_accepted() {
    let files = committed();
    assert!(files.len() >= 11, "{}", files.len());
    for (name, text) in files {
        let board = Board::read(&name, &text).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(format!("{}.json", board.uid), name);
        let raw = text.matches("\"gridPos\"").count();
        let rows = board.rows.iter().filter(|row| row.id != 0).count();
        assert_eq!(board.panels().count() + rows, raw, "{name}: a panel is lost");
        assert!(!board.variables.is_empty() && !board.refresh.is_empty(), "{name}");
    }
}

#[test]
fn no_panel_covers_another_one_and_none_floats() {
    for (name, text) in committed() {
        let board = Board::read(&name, &text).expect("an accepted board");
        for row in &board.rows {
            let mut cells = BTreeSet::new();
            for panel in &row.panels {
                let place = panel.place;
                let own = (place.x..place.x + place.w)
                    .flat_map(|x| (place.y..place.y + place.h).map(move |y| (x, y)));
                for cell in own {
                    assert!(cells.insert(cell), "{name}: {} covers another panel", panel.title);
                }
            }
            for panel in row.panels.iter().filter(|panel| panel.place.y > 0) {
                let place = panel.place;
                let held = (place.x..place.x + place.w).any(|x| cells.contains(&(x, place.y - 1)));
                assert!(held, "{name}: nothing is above {}", panel.title);
            }
        }
    }
}

#[test]
fn every_query_has_its_variables_replaced() {
    for (name, text) in committed() {
        let board = Board::read(&name, &text).expect("an accepted board");
        let scope = scope(&board);
        for panel in board.panels() {
            for query in &panel.queries {
                let step = scope.range.step(points(panel), scope.scrape);
                let expr = scope.expr(query, step);
                assert!(!expr.contains("$_") && !expr.contains("$job"), "{name}: {}: {expr}", panel.title);
                assert!(query.source == Source::Jaeger || !expr.is_empty(), "{name}: {}", panel.title);
            }
        }
    }
}

#[test]
fn every_log_panel_can_be_answered_without_loki() {
    for (name, text) in committed() {
        let board = Board::read(&name, &text).expect("an accepted board");
        let logs = board.panels().filter(|panel| matches!(panel.kind, Kind::Logs));
        for query in logs.flat_map(|panel| &panel.queries) {
            assert!(boards::logql::wanted(&query.expr).is_some(), "{name}: {}", query.expr);
        }
    }
}
