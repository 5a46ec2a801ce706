//! Change points against those of Apache Otava 0.8.0 (`compute_change_points` with its defaults), on twenty histories with and
//! without changes. `otava.json` has the values and what Otava answered. To ask it again: `pip install apache-otava==0.8.0`, and of each
//! history `[point.index for point in otava.analysis.compute_change_points(values)[0]]`.

use serde::Deserialize;
use statistics::changes::changes;

#[derive(Deserialize)]
struct History {
    values: Vec<f64>,
    /// Indexes of Otava's change points.
    otava: Vec<usize>,
}

#[test]
fn change_points_are_those_of_otava() {
    let histories: Vec<History> =
        serde_json::from_str(include_str!("otava.json")).expect("a list of histories");
    assert_eq!(histories.len(), 20);
    assert!(histories.iter().filter(|history| !history.otava.is_empty()).count() > 10, "most have a change");
    let mut different = Vec::new();
    for (number, history) in histories.iter().enumerate() {
        let ours: Vec<usize> = changes(&history.values, 0.0).iter().map(|change| change.index).collect();
        // Otava's p is smaller, so it may find more, but it must know every change that we find.
        assert!(
            ours.iter().all(|index| history.otava.contains(index)),
            "{number}: {ours:?}, {:?}",
            history.otava
        );
        if ours != history.otava {
            different.push(number);
        }
    }
    assert!(different.len() <= 1, "histories with another answer: {different:?}");
}
