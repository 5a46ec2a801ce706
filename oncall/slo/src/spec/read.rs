//! From the shape of a document to an objective: what the values mean, and whether they are sensible.

use serde_saphyr::Spanned;

use super::{
    Problems,
    notes::{Notes, notes},
    objective::{first, objective},
    raw::{Document, SloSpec, TimeWindow},
    reader::{Lines, Reader, one_line},
    sli,
};
use crate::{PAIRS, Period, Slo, Window, model::Calendar};

/// Reads a document.
pub(super) fn model(file: &str, document: &Document) -> Result<Slo, Problems> {
    let mut reader = Reader::with(file, Lines::default());
    expect(&mut reader, &document.api_version, "apiVersion", "openslo/v1");
    expect(&mut reader, &document.kind, "kind", "SLO");
    let name = name(&mut reader, &document.metadata.value.name, "metadata.name");
    let notes = notes(&mut reader, &document.metadata);
    let origin = (file.to_owned(), document.metadata.value.name.referenced.line());
    let title = document.metadata.value.display_name.as_ref().map_or(&name, |title| &title.value).clone();
    let spec = &document.spec;
    unsupported(&mut reader, &spec.value);
    let service = self::name(&mut reader, &spec.value.service, "spec.service");
    let description = spec.value.description.as_ref().map_or_else(String::new, |text| one_line(&text.value));
    let period = period(&mut reader, &spec.value.time_window);
    let objective = objective(&mut reader, &spec.value.objectives);
    let sli = match &spec.value.indicator {
        Some(indicator) => {
            sli::read(&mut reader, indicator, first(&spec.value.objectives), notes.throughput.as_ref())
        }
        None => {
            reader.wrong(
                spec,
                "spec.indicator",
                "missing: expected the SLI inline, with ratioMetric or thresholdMetric",
            );
            None
        }
    };
    let Lines(lines) = std::mem::take(&mut reader.state);
    let Notes { owner, promise, reason, minimum_errors, sla, review, hurt_by, .. } = notes;
    let slo = sli.zip(objective).zip(period).map(|((sli, objective), period)| Slo {
        name,
        title,
        service,
        owner,
        promise,
        reason,
        description,
        sli,
        objective,
        period,
        minimum_errors,
        sla,
        review,
        hurt_by,
        origin,
        lines,
    });
    reader.finish(slo)
}

fn expect(reader: &mut Reader, found: &Spanned<String>, field: &str, expected: &str) {
    if found.value != expected {
        reader.wrong(found, field, format!("expected `{expected}`, found `{}`", found.value));
    }
}

/// Names become label values, file names and, in PascalCase, alert names.
fn name(reader: &mut Reader, name: &Spanned<String>, field: &str) -> String {
    let words = name.value.split('-');
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if !words.into_iter().all(word) || name.value.len() > 63 {
        let message = format!(
            "`{}` is not a name: expected words of a-z and 0-9 joined by `-`, such as order-latency",
            name.value
        );
        reader.wrong(name, field, message);
    }
    name.value.clone()
}

fn unsupported(reader: &mut Reader, spec: &SloSpec) {
    if spec.budgeting_method.value != "Occurrences" {
        let message = format!(
            "expected `Occurrences`, found `{}`: time slices are not supported, every event counts",
            spec.budgeting_method.value
        );
        reader.wrong(&spec.budgeting_method, "spec.budgetingMethod", message);
    }
    if let Some(reference) = &spec.indicator_ref {
        reader.wrong(
            reference,
            "spec.indicatorRef",
            "not supported: expected the SLI inline, in spec.indicator",
        );
    }
    if let Some(policies) = spec.alert_policies.as_ref().filter(|policies| !policies.value.is_empty()) {
        let message = "not supported: OpenSLO v1 cannot say multi-window alerts; the four pairs of windows are generated";
        reader.wrong(policies, "spec.alertPolicies", message);
    }
}

fn period(reader: &mut Reader, windows: &Spanned<Vec<Spanned<TimeWindow>>>) -> Option<Period> {
    let [window] = windows.value.as_slice() else {
        let message = format!("expected exactly one time window, found {}", windows.value.len());
        reader.wrong(windows, "spec.timeWindow", message);
        return None;
    };
    let TimeWindow { duration, is_rolling, calendar } = &window.value;
    if is_rolling.value {
        if let Some(calendar) = calendar {
            reader.wrong(calendar, "spec.timeWindow[0].calendar", "expected none while isRolling is true");
        }
        let field = "spec.timeWindow[0].duration";
        let parsed = Window::parse(&duration.value);
        let parsed = reader.take(duration, field, parsed)?;
        let longest = PAIRS[PAIRS.len() - 1].long;
        if parsed <= longest {
            let message = format!(
                "{parsed} is too short: expected more than {longest}, the longest window of an alert"
            );
            reader.wrong(duration, field, message);
        }
        return Some(Period::Rolling(parsed));
    }
    let Some(calendar) = calendar else {
        reader.wrong(
            window,
            "spec.timeWindow[0].calendar",
            "missing: expected startTime and timeZone while isRolling is false",
        );
        return None;
    };
    calendar_period(reader, duration, &calendar.value.start_time, &calendar.value.time_zone)
}

fn calendar_period(
    reader: &mut Reader,
    duration: &Spanned<String>,
    start: &Spanned<String>,
    zone: &Spanned<String>,
) -> Option<Period> {
    if !["UTC", "Etc/UTC"].contains(&zone.value.as_str()) {
        let message =
            format!("expected `UTC`, found `{}`: Prometheus rules know no other time zone", zone.value);
        reader.wrong(zone, "spec.timeWindow[0].calendar.timeZone", message);
    }
    if chrono::NaiveDateTime::parse_from_str(&start.value, "%Y-%m-%d %H:%M:%S").is_err() {
        let message =
            format!("expected a date and time such as 2026-01-01 00:00:00, found `{}`", start.value);
        reader.wrong(start, "spec.timeWindow[0].calendar.startTime", message);
    }
    let unit = match duration.value.as_str() {
        "1d" => Ok(Calendar::Day),
        "1w" => Ok(Calendar::Week),
        "1M" => Ok(Calendar::Month),
        "1Y" => Ok(Calendar::Year),
        other => Err(format!("expected 1d, 1w, 1M or 1Y for a calendar window, found `{other}`")),
    };
    reader.take(duration, "spec.timeWindow[0].duration", unit).map(Period::Calendar)
}
