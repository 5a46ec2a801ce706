//! What is declared is what is read, and what nobody does is found.

use super::*;
use crate::{AnyFault as _, ParamKind, ParamSpec};

#[test]
fn a_parameter_is_named_as_its_field_and_means_what_stands_above_it() {
    let status = ParamKind::Count { min: 500, max: 599 };
    let expected =
        ParamSpec { name: "status", summary: "status of the answer", kind: status, default: "500" };
    assert_eq!(HTTP_ERROR.spec().params, [expected]);
    assert!(RISKY.spec().params.is_empty());
    assert_eq!(HTTP_LATENCY.spec().params[2].kind, ParamKind::Word(&["fixed", "uniform"]));
}

#[test]
fn a_catalogue_has_all_that_it_declares_in_the_order_in_which_it_does() {
    let names: Vec<_> = ALL.iter().map(|fault| fault.spec().name).collect();
    assert_eq!(names, ["risky", "http-error", "http-latency", "cpu-burn"]);
}

#[test]
fn every_word_of_a_choice_is_read_as_its_variant() {
    let faults = faults();
    for (word, expected) in [("fixed", Distribution::Fixed), ("uniform", Distribution::Uniform)] {
        faults.set("http-latency", &format!("distribution={word}")).unwrap();
        let strike = faults.point(&HTTP_LATENCY).active().unwrap();
        assert_eq!(strike.params.distribution, expected);
    }
}

#[test]
fn a_declared_point_is_unclaimed_until_somebody_takes_its_handle() {
    let faults = faults();
    assert!(faults.declares(&HTTP_ERROR));
    let all = ["risky", "http-error", "http-latency", "cpu-burn"];
    assert_eq!(faults.unclaimed(), all, "to read how strong they are is not to do what they say");
    assert_eq!(faults.points().count(), all.len());
    assert_eq!(faults.unclaimed(), all);
    let _ = (faults.point(&RISKY), faults.find(&HTTP_LATENCY));
    assert_eq!(faults.unclaimed(), ["http-error", "cpu-burn"]);
}

#[test]
fn a_point_that_the_service_does_not_declare_is_not_found() {
    const OTHER: Fault = work("other", "", "");
    assert!(faults().find(&OTHER).is_none() && !faults().declares(&OTHER));
}

#[test]
#[should_panic(expected = "two faults are called `http-error`")]
fn a_fault_with_the_name_of_another_is_a_mistake_of_the_code() {
    const OTHER: Fault<CpuBurn> = work("http-error", "", "");
    let _ = faults().find(&OTHER);
}
