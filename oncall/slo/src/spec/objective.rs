//! The one objective of a spec: the share of events that should be good.

use serde_saphyr::Spanned;

use super::{raw::Objective, reader::Reader};

pub(super) fn first(objectives: &Spanned<Vec<Spanned<Objective>>>) -> Option<&Spanned<Objective>> {
    objectives.value.first()
}

pub(super) fn objective(reader: &mut Reader, objectives: &Spanned<Vec<Spanned<Objective>>>) -> Option<f64> {
    let [objective] = objectives.value.as_slice() else {
        let message = format!(
            "expected exactly one objective, found {}: write a spec for each",
            objectives.value.len()
        );
        reader.wrong(objectives, "spec.objectives", message);
        return None;
    };
    let own = &objective.value;
    let field = |name: &str| format!("spec.objectives[0].{name}");
    for (name, line) in [
        ("timeSliceTarget", own.time_slice_target.as_ref().map(|value| value.referenced.line())),
        ("timeSliceWindow", own.time_slice_window.as_ref().map(|value| value.referenced.line())),
        ("compositeWeight", own.composite_weight.as_ref().map(|value| value.referenced.line())),
        ("indicator", own.indicator.as_ref().map(|value| value.referenced.line())),
        ("indicatorRef", own.indicator_ref.as_ref().map(|value| value.referenced.line())),
    ] {
        if let Some(line) = line {
            let message = "not supported: every event counts, of one indicator".to_owned();
            reader.wrong_at(line, &field(name), message);
        }
    }
    let (target, name, one) = match (&own.target, &own.target_percent) {
        (Some(target), None) => (target, "target", 1.0),
        (None, Some(percent)) => (percent, "targetPercent", 100.0),
        (Some(_), Some(percent)) => {
            reader.wrong(
                percent,
                &field("targetPercent"),
                "expected either target or targetPercent, found both",
            );
            return None;
        }
        (None, None) => {
            reader.wrong(
                objective,
                &field("target"),
                "missing: expected a share of good events, such as 0.999",
            );
            return None;
        }
    };
    reader.state.place(target, "spec.objectives[0].target");
    let share = target.value / one;
    if share > 0.0 && share < 1.0 {
        return Some(share);
    }
    let message =
        format!("expected a number above 0 and below {one}, such as {}, found {}", 0.999 * one, target.value);
    reader.wrong(target, &field(name), message);
    None
}
