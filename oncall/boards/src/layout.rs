//! Where panels are: Grafana's grid moves every panel up until it meets another one.

use crate::model::{Place, Row};

/// Columns of the grid.
pub const COLUMNS: u32 = 24;

/// Moves the panels of a row up, and the topmost one to 0.
pub(crate) fn compact(row: &mut Row) {
    let mut order: Vec<usize> = (0..row.panels.len()).collect();
    order.sort_by_key(|&at| (row.panels[at].place.y, row.panels[at].place.x));
    let mut placed: Vec<Place> = Vec::new();
    for at in order {
        let wanted = row.panels[at].place;
        // The lowest end of the panels above it in the same columns.
        let above = placed.iter().filter(|other| side_by_side(**other, wanted));
        let place = Place { y: above.map(|other| other.y + other.h).max().unwrap_or(0), ..wanted };
        row.panels[at].place = place;
        placed.push(place);
    }
    row.panels.sort_by_key(|panel| (panel.place.y, panel.place.x));
}

/// Whether two panels have a column in common.
const fn side_by_side(one: Place, other: Place) -> bool {
    one.x < other.x + other.w && other.x < one.x + one.w
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Field, Kind, Paint, Panel},
        unit::Unit,
    };

    fn panel(id: u64, (x, y, w, h): (u32, u32, u32, u32)) -> Panel {
        let field = Field {
            unit: Unit::Plain,
            paint: Paint::Palette,
            steps: Vec::new(),
            words: Vec::new(),
            min: None,
            max: None,
            links: Vec::new(),
            title: None,
            coloured: false,
        };
        Panel {
            id,
            title: String::new(),
            description: String::new(),
            place: Place { x, y, w, h },
            kind: Kind::Gauge,
            queries: Vec::new(),
            field,
            overrides: Vec::new(),
        }
    }

    #[test]
    fn a_panel_moves_up_until_it_meets_another_one() {
        // As on the overview: the second number fills the gap beside the tall table.
        let panels = vec![panel(1, (0, 1, 14, 5)), panel(2, (14, 1, 10, 10)), panel(3, (0, 11, 14, 5))];
        let mut row = Row { id: 0, title: None, folded: false, panels };
        compact(&mut row);
        let places: Vec<_> =
            row.panels.iter().map(|panel| (panel.id, panel.place.x, panel.place.y)).collect();
        assert_eq!(places, [(1, 0, 0), (2, 14, 0), (3, 0, 5)]);
    }
}
