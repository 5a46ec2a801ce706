//! The simulation against theory, and properties of any objective and any fault.

use proptest::prelude::*;
use slo::{
    Clock, PAIRS, Pair, Severity, Slo,
    simulate::{Segment, simulate},
    theory,
};

use crate::support::slo;

fn segment(text: &str) -> Segment {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// When the pair fires and ends, in seconds from the start and from the end of the fault.
fn measured(slo: &Slo, clock: Clock, pair: &Pair, ratio: f64) -> (Option<u64>, Option<u64>) {
    let lasts = theory::detection(pair, slo.budget(), ratio).unwrap_or(60.0).ceil() as u64
        + pair.short.as_secs()
        + 60;
    let fault = Segment { lasts: slo::Window::seconds(lasts), ratio };
    let outcome = simulate(slo, clock, &[fault, Segment { lasts: pair.long, ratio: 0.0 }]);
    let at =
        |fires| outcome.events.iter().find(|event| event.long_window == pair.long && event.fires == fires);
    (at(true).map(|event| event.at), at(false).map(|event| event.at - lasts))
}

#[test]
fn the_simulation_fires_and_ends_when_theory_says() {
    for name in ["order-availability", "order-latency", "order-correctness"] {
        let slo = slo(name);
        for clock in Clock::ALL {
            let step = clock.evaluation().secs();
            for pair in clock.pairs() {
                for ratio in [1.0, 0.5, 0.1, 0.02] {
                    let (fires, ends) = measured(&slo, clock, &pair, ratio);
                    let theory = theory::detection(&pair, slo.budget(), ratio);
                    assert_eq!(fires.is_some(), theory.is_some(), "{name} {clock} {pair:?} {ratio}");
                    let (Some(fires), Some(theory), Some(ends)) = (fires, theory, ends) else { continue };
                    let late = fires as f64 - theory;
                    assert!((0.0..=step).contains(&late), "{name} {clock} {pair:?} {ratio}: {late} s late");
                    let reset = theory::reset(&pair, slo.budget(), ratio).unwrap();
                    let late = ends as f64 - reset;
                    // The fault may end between two evaluations.
                    assert!(
                        (-step..=step).contains(&late),
                        "{name} {clock} {pair:?} {ratio}: ends {late} s late"
                    );
                }
            }
        }
    }
}

#[test]
fn the_budget_spent_by_a_simulation_is_the_area_under_the_errors() {
    let slo = slo("order-availability");
    // 12 h at 0.1 % is the budget: 43.2 s of full outage.
    let outcome = simulate(&slo, Clock::Lab, &[segment("10s@100%"), segment("1m")]);
    assert!((outcome.budget_spent - 10.0 / 43.2).abs() < 1e-9);
    assert_eq!(outcome.exhausted_at, None);
    let outcome = simulate(&slo, Clock::Lab, &[segment("1m@1")]);
    assert_eq!(outcome.exhausted_at, Some(44));
}

#[test]
fn an_invalid_segment_is_refused_with_what_would_be_right() {
    assert_eq!(segment("10m@2%"), segment("10m@0.02"));
    assert_eq!(segment("10m").ratio, 0.0);
    for text in ["", "10m@", "10m@2", "10m@-1%", "@5%", "10m@x", "10m@NaN"] {
        let problem = text.parse::<Segment>().unwrap_err();
        assert!(problem.contains("expected"), "{text}: {problem}");
    }
}

proptest! {
    #[test]
    fn more_errors_are_found_sooner_and_end_later(budget in 0.00001_f64..0.06, low in 0.0001_f64..1.0, high in 0.0001_f64..1.0) {
        prop_assume!(low < high);
        for pair in PAIRS {
            let (slow, fast) = (theory::detection(&pair, budget, low), theory::detection(&pair, budget, high));
            if let Some(slow) = slow {
                prop_assert!(fast.is_some_and(|fast| fast < slow));
                prop_assert!(theory::reset(&pair, budget, low) < theory::reset(&pair, budget, high));
                prop_assert!(slow <= pair.long.secs());
            }
        }
    }

    #[test]
    fn the_lab_is_the_production_clock_sixty_times_as_fast(budget in 0.00001_f64..0.06, ratio in 0.0001_f64..1.0) {
        for (lab, production) in Clock::Lab.pairs().iter().zip(Clock::Production.pairs()) {
            let both = theory::detection(lab, budget, ratio).zip(theory::detection(&production, budget, ratio));
            prop_assert_eq!(theory::detection(lab, budget, ratio).is_some(), theory::detection(&production, budget, ratio).is_some());
            if let Some((lab, production)) = both {
                prop_assert!((lab * 60.0 - production).abs() < 1e-6 * production);
            }
        }
    }

    #[test]
    fn an_objective_that_is_kept_pages_nobody(share in 0.0_f64..1.0, minutes in 1_u64..600) {
        let slo = slo("order-availability");
        let lasts = slo::Window::minutes(minutes);
        let outcome = simulate(&slo, Clock::Lab, &[Segment { lasts, ratio: share * slo.budget() }]);
        prop_assert_eq!(outcome.events, vec![]);
    }

    #[test]
    fn every_alert_that_fires_ends_after_the_fault(ratio in 0.0_f64..1.0, seconds in 1_u64..2000) {
        let slo = slo("order-availability");
        let fault = Segment { lasts: slo::Window::seconds(seconds), ratio };
        let outcome = simulate(&slo, Clock::Lab, &[fault, segment("7m")]);
        let count = |fires| outcome.events.iter().filter(|event| event.fires == fires && event.severity == Severity::Page).count();
        prop_assert_eq!(count(true), count(false));
    }

    #[test]
    fn names_of_windows_parse_back(seconds in 1_u64..10_000_000) {
        let window = slo::Window::seconds(seconds);
        prop_assert_eq!(slo::Window::parse(&window.to_string()), Ok(window));
    }
}
