//! Who calls whom: from left to right in the order of a request.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

/// Calls from one service to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// How often, in the time range.
    pub count: u64,
}

/// Size of a box, and the space between two.
const BOX: (f64, f64) = (132.0, 40.0);
const GAP: (f64, f64) = (84.0, 26.0);

pub(super) fn draw(calls: &[Call]) -> Markup {
    let places = places(calls);
    let end = |of: fn(&(f64, f64)) -> f64| places.values().map(of).fold(0.0, f64::max);
    let (width, height) = (end(|place| place.0) + BOX.0, end(|place| place.1) + BOX.1);
    let most = calls.iter().map(|call| call.count).max().unwrap_or(1).max(1);
    html! {
        svg.b-graph viewBox={"-4 -16 " (width + 8.0) " " (height + 32.0)} role="img" aria-label=(summary(calls)) {
            defs { marker id="b-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" {
                path d="M0,0 8,4 0,8z" {}
            } }
            @for call in calls {
                @if let (Some(from), Some(to)) = (places.get(&*call.from), places.get(&*call.to)) {
                    (edge(call, *from, *to, 1.0 + 2.5 * call.count as f64 / most as f64))
                }
            }
            @for (name, (x, y)) in &places {
                g.b-node {
                    rect x=(x) y=(y) width=(BOX.0) height=(BOX.1) rx="6" {}
                    text x=(x + BOX.0 / 2.0) y=(y + BOX.1 / 2.0) text-anchor="middle" dominant-baseline="middle" { (name) }
                }
            }
        }
    }
}

fn edge(call: &Call, from: (f64, f64), to: (f64, f64), width: f64) -> Markup {
    let middle = BOX.1 / 2.0;
    let forward = to.0 > from.0;
    let (x1, x2) =
        if forward { (from.0 + BOX.0, to.0 - 2.0) } else { (from.0 + BOX.0 / 2.0, to.0 + BOX.0 / 2.0) };
    // Forward at the sides; back, such as an outcome that returns, below the boxes.
    let (y1, y2) =
        if forward { (from.1 + middle, to.1 + middle) } else { (from.1 + BOX.1, to.1 + BOX.1 + 2.0) };
    let bend = (x2 - x1).abs() / 2.0;
    let d = if forward {
        format!("M{x1},{y1}C{},{y1} {},{y2} {x2},{y2}", x1 + bend, x2 - bend)
    } else {
        format!("M{x1},{y1}C{x1},{} {x2},{} {x2},{y2}", y1 + 34.0, y2 + 34.0)
    };
    let (x, y) = ((x1 + x2) / 2.0, if forward { (y1 + y2) / 2.0 - 6.0 } else { y1.max(y2) + 22.0 });
    html! {
        g.b-edge {
            title { (call.from) " calls " (call.to) ": " (call.count) }
            path d=(d) stroke-width=(width) marker-end="url(#b-arrow)" {}
            text x=(x) y=(y) text-anchor="middle" { (call.count) }
        }
    }
}

/// Each service one column after the first that calls it; a call that goes back does not move anything.
fn places(calls: &[Call]) -> BTreeMap<&str, (f64, f64)> {
    let names: BTreeSet<&str> = calls.iter().flat_map(|call| [&*call.from, &*call.to]).collect();
    let called: BTreeSet<&str> =
        calls.iter().filter(|call| call.from != call.to).map(|call| &*call.to).collect();
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    let mut front: Vec<&str> = names.iter().copied().filter(|name| !called.contains(name)).collect();
    if front.is_empty() {
        // Everybody calls everybody: begin with the one that calls most.
        front.extend(calls.iter().max_by_key(|call| call.count).map(|call| &*call.from));
    }
    let mut column = 0;
    while !front.is_empty() {
        for name in front.iter().copied() {
            columns.entry(name).or_insert(column);
        }
        let next = calls.iter().filter(|call| front.contains(&&*call.from)).map(|call| &*call.to);
        let next: BTreeSet<&str> = next.filter(|name| !columns.contains_key(name)).collect();
        front = next.into_iter().collect();
        column += 1;
    }
    let mut used: BTreeMap<usize, f64> = BTreeMap::new();
    let place = |name: &&str| {
        let column = columns.get(name).copied().unwrap_or(0);
        let row = used.entry(column).or_default();
        let y = *row * (BOX.1 + GAP.1);
        *row += 1.0;
        (column as f64 * (BOX.0 + GAP.0), y)
    };
    let at: Vec<(f64, f64)> = names.iter().map(place).collect();
    names.into_iter().zip(at).collect()
}

fn summary(calls: &[Call]) -> String {
    let all: Vec<String> =
        calls.iter().map(|call| format!("{} calls {} {} times", call.from, call.to, call.count)).collect();
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_to_the_right_of_those_that_call_it() {
        let call = |from: &str, to: &str, count| Call { from: from.to_owned(), to: to.to_owned(), count };
        // The outcome returns, so everybody is called: the picture begins with the one that calls most.
        let calls = [call("api", "users", 9), call("api", "worker", 5), call("worker", "api", 5)];
        let found = places(&calls);
        let column = BOX.0 + GAP.0;
        assert_eq!(found["api"], (0.0, 0.0));
        assert_eq!(found["users"], (column, 0.0));
        assert_eq!(found["worker"], (column, BOX.1 + GAP.1));
    }
}
