//! Queries to begin with.

use boards::range::encode;
use maud::{Markup, html};

/// Questions that are asked in most incidents.
const EXAMPLES: &[(&str, &str)] = &[
    ("Requests per second, by service", "sum by (service) (rate(http_requests_total[1m]))"),
    (
        "Share of the responses that are 5xx, by service",
        "sum by (service) (rate(http_requests_total{status=~\"5..\"}[1m])) / sum by (service) (rate(http_requests_total[1m]))",
    ),
    (
        "The slowest 5 % of the responses, by service and route",
        "histogram_quantile(0.95, sum by (service, endpoint, le) (rate(http_request_duration_seconds_bucket[1m])))",
    ),
    ("Targets that do not answer", "up == 0"),
    ("Pending and firing alerts", "ALERTS"),
];

/// Links to them, with the context of the page.
pub(super) fn show(context: &str) -> Markup {
    html! {
        section.card {
            h2 { "Where to begin" }
            ul.stack.tight {
                @for (title, query) in EXAMPLES {
                    li { a href={ "/explore?query=" (encode(query)) "&" (context) } data-item { (title) } div.mono.muted { (query) } }
                }
            }
        }
    }
}
