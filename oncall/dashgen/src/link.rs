//! Links that a click opens: another board, the logs or traces behind a value, a runbook.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::query::{Source, requests};

/// A titled URL; Grafana replaces `${…}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The text shown.
    pub title: String,
    /// The URL.
    pub url: String,
}

/// Another board, at the same time range.
#[must_use]
pub fn board(uid: &str, title: &str) -> Link {
    Link { title: format!("{title} dashboard"), url: format!("/d/{uid}?${{__url_time_range}}") }
}

/// The SLO board, narrowed to the SLO of the clicked value.
#[must_use]
pub fn slo_board() -> Link {
    let url = "/d/slo?var-slo=${__field.labels.slo}&${__url_time_range}";
    Link { title: "Burn rates and budget".to_owned(), url: url.to_owned() }
}

/// The runbook of the alert in this table row, as the control room shows it.
#[must_use]
pub fn runbook() -> Link {
    Link {
        title: "Runbook".to_owned(),
        url: "http://localhost:8080/runbooks/${__data.fields.alertname}".to_owned(),
    }
}

/// The board of the service in this table row.
#[must_use]
pub fn service_board() -> Link {
    let url = "/d/${__data.fields.job}?${__url_time_range}";
    Link { title: "Dashboard of the service".to_owned(), url: url.to_owned() }
}

/// The overview, narrowed to the job of this table row: parts that are not services have no board of their own.
#[must_use]
pub fn overview_of_job() -> Link {
    let url = "/d/overview?var-job=${__data.fields.job}&${__url_time_range}";
    Link { title: "Overview of this job".to_owned(), url: url.to_owned() }
}

/// Warnings and errors of a service, in Explore.
#[must_use]
pub fn logs_of(service: &str) -> Link {
    let expr = format!(r#"{{service=\"{service}\"}} | json | level=~\"WARN|ERROR\""#);
    let query = format!(r#""refId":"A","expr":"{expr}""#);
    Link { title: format!("Logs of {service}"), url: explore(Source::Loki, &query) }
}

/// The access log of a service, in Explore.
#[must_use]
pub fn requests_of(service: &str) -> Link {
    let expr = serde_json::Value::from(requests(service));
    let query = format!(r#""refId":"A","expr":{expr}"#);
    Link { title: format!("Requests to {service}"), url: explore(Source::Loki, &query) }
}

/// Traces of a service, in Explore.
#[must_use]
pub fn traces_of(service: &str) -> Link {
    let query = format!(r#""refId":"A","queryType":"search","service":"{service}""#);
    Link { title: format!("Traces of {service}"), url: explore(Source::Jaeger, &query) }
}

/// The slow traces of a service, in Explore.
#[must_use]
pub fn slow_traces_of(service: &str) -> Link {
    let query =
        format!(r#""refId":"A","queryType":"search","service":"{service}","minDuration":"250ms","limit":20"#);
    Link { title: format!("Slow traces of {service}"), url: explore(Source::Jaeger, &query) }
}

/// Explore with one query, at the panel's time range.
fn explore(source: Source, query: &str) -> String {
    let (kind, uid) = (source.id(), source.variable());
    let pane = format!(
        r#"{{"lab":{{"datasource":"{uid}","queries":[{{{query},"datasource":{{"type":"{kind}","uid":"{uid}"}}}}],"range":{{"from":"${{__from}}","to":"${{__to}}"}}}}}}"#
    );
    format!("/explore?schemaVersion=1&orgId=${{__org}}&panes={}", encode(&pane))
}

/// Everything but the unreserved characters of RFC 3986.
const NOT_IN_VALUES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Percent-encodes everything except Grafana's variables.
fn encode(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let end = rest[start..].find('}').map_or(rest.len(), |end| start + end + 1);
        out.extend(utf8_percent_encode(&rest[..start], NOT_IN_VALUES));
        out.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    out.extend(utf8_percent_encode(rest, NOT_IN_VALUES));
    out
}
