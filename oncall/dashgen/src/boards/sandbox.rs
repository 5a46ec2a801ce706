//! The experiment of the sandbox: send load to `/risky`, watch the success rate fall below 90 %, fix it, watch it
//! recover.

use super::shared::{LATENCY, logs_row};
use crate::{
    link::{logs_of, traces_of},
    model::{Board, Kind, Panel, Row, Step, Unit, row},
    query::{quantile, query, rates, share},
};

const NAME: &str = "order-api";

pub(super) fn board() -> Board {
    Board {
        uid: "sandbox",
        title: "Sandbox",
        description: "The Unstable API: /risky fails for a fifth of its calls. Watch the success rate fall below 90 %, then bring it back.",
        jobs: r#"up{service="order-api", job!="application-metrics"}"#,
        variables: &[],
        rows: vec![experiment_row(), why_row(), logs_row(NAME)],
    }
}

const STEPS: &[Step] = &[(None, "red"), (Some(90.0), "yellow"), (Some(99.0), "green")];

const WORDS: &str = "1. Send load to the endpoint that fails for a fifth of its calls:

   ```
   while :; do curl -s -o /dev/null localhost:8000/risky; done
   ```
2. Or break a healthy endpoint: `./lab break order-api http-error rate=0.2 ttl=5m`
3. Watch **Success Rate** fall below the dashed 90 %.
4. Stop the loop, or `./lab fix`, and watch it recover to where it was.
5. Repair the endpoint, and watch it recover to 100 %: [docs/exercises](https://github.com/sre-lab/sre-lab/blob/main/docs/exercises/README.md#the-unstable-api-patched)";

fn success(of: &str) -> String {
    format!("100 * {}", share("", "http_requests_total", &format!("{of}, status!~\"5..\""), of))
}

fn experiment_row() -> Row {
    let of = format!("service=\"{NAME}\"");
    row(
        "The experiment",
        vec![
            Panel::new(Kind::Gauge, "Success Rate now", Unit::Percent, "Share of all responses that are not 5xx. Normal is above 90 %, the sandbox's objective.")
                .query(query("success", success(&of)))
                .steps(STEPS)
                .range(0.0, 100.0)
                .size(5, 9),
            Panel::new(Kind::Lines, "Success Rate", Unit::Percent, "Share of all responses that are not 5xx, including /risky. Normal is a few per cent below 100. The objective is 90 %: below it the SLO is breached.")
                .query(query("success", success(&of)))
                .steps(&[(Some(90.0), "red")])
                .range(0.0, 100.0)
                .size(12, 9)
                .links([logs_of(NAME), traces_of(NAME)]),
            Panel::new(Kind::Text(WORDS), "What to do", Unit::Plain, "The experiment, step by step.").size(7, 9),
        ],
    )
}

fn why_row() -> Row {
    let of = format!("service=\"{NAME}\"");
    let ok = format!("{of}, status!~\"5..\"");
    let failed = format!("{of}, status=~\"5..\"");
    let by_route = format!("100 * {}", share("endpoint", "http_requests_total", &ok, &of));
    let panel = |kind, title, unit, description| Panel::new(kind, title, unit, description).size(6, 8);
    row(
        "Why",
        vec![
            panel(
                Kind::Lines,
                "Success Rate by route",
                Unit::Percent,
                "Normal is 100 % for all except /risky, which is at 80 %.",
            )
            .query(query("{{endpoint}}", by_route))
            .steps(&[(Some(90.0), "red")])
            .range(0.0, 100.0),
            panel(
                Kind::Stack,
                "Requests",
                Unit::Requests,
                "Answered requests, by route. Normal follows the load; a large share of /risky pulls the success rate down.",
            )
            .query(query("{{endpoint}}", rates("endpoint", "http_requests_total", &of))),
            panel(
                Kind::Stack,
                "Failures",
                Unit::Requests,
                "Responses with 5xx, by route. Normal is /risky only.",
            )
            .query(query(
                "{{endpoint}} {{status}}",
                rates("endpoint, status", "http_requests_total", &failed),
            )),
            panel(
                Kind::Lines,
                "Response time, p95",
                Unit::Seconds,
                "The slowest 5 % of the responses, by route. Normal is below 250 ms. A dot opens its trace.",
            )
            .query(
                query("{{endpoint}}", quantile(0.95, "endpoint", "http_request_duration_seconds", &of))
                    .exemplars(),
            )
            .steps(&LATENCY[1..]),
        ],
    )
}
