//! The path of a request, hop by hop: what each hop counts, how it fails and how long it takes.

use super::shared::{ERRORS, LATENCY, hop};
use crate::{
    model::{Kind, Panel, Row, Step, Unit, row},
    query::{quantile, query, rates, share},
};

/// One hop: its name, its description, and its three signals.
struct Hop {
    title: &'static str,
    description: &'static str,
    rate: String,
    errors: String,
    p95: String,
    slow: &'static [Step],
    to: (&'static str, &'static str),
}

impl Hop {
    fn panel(self) -> Panel {
        Panel::new(Kind::Stat, self.title, Unit::Operations, self.description)
            .query(query("rate", self.rate))
            .query(query("errors", self.errors))
            .query(query("p95", self.p95))
            .special("errors", Unit::Ratio, ERRORS)
            .special("p95", Unit::Seconds, self.slow)
            .steps(&[(None, "text")])
            .size(3, 9)
            .links(hop(self.to.0, self.to.1))
    }
}

/// Colours of the latency of a store.
const STORE: &[Step] = &[(None, "green"), (Some(0.05), "orange"), (Some(0.25), "red")];
/// The hops that are stores.
const STORES: [&str; 3] = ["5 Redis", "6 PostgreSQL", "7 Kafka"];
/// Colours of the time to settle an order.
const SETTLE: &[Step] = &[(None, "green"), (Some(2.5), "orange"), (Some(5.0), "red")];

/// The row of all hops.
pub(super) fn path_row() -> Row {
    let hops = vec![
        users(),
        http("edge"),
        http("order-api"),
        http("user-service"),
        redis(),
        postgres(),
        kafka(),
        worker(),
        settled(),
    ];
    // Nine hops in 24 columns: the names of stores are the shortest.
    let wide = |hop: Hop| if STORES.contains(&hop.title) { hop.panel().size(2, 9) } else { hop.panel() };
    row("The path of a request, hop by hop", hops.into_iter().map(wide).collect())
}

fn users() -> Hop {
    let failed = r#"outcome!~"ok|client_error""#;
    Hop {
        title: "1 Users",
        description: "The load generator's view, from outside. Normal is green except for errors of /risky. What only this row sees happens between the users and the edge. /risky fails for 20 % of its calls by design.",
        rate: rates("", "load_requests_total", ""),
        errors: share("", "load_requests_total", failed, ""),
        p95: quantile(0.95, "", "load_request_duration_seconds", ""),
        slow: LATENCY,
        to: ("sandbox", "Sandbox"),
    }
}

const AT_THE_EDGE: &str = "Answers without /risky. Errors are 502 and 504: a service gave no answer, or the edge is stuck; normal is 0.";
const IN_A_SERVICE: &str = "Answers without /risky. Errors are 5xx; normal is 0.";

/// A hop over HTTP. /risky fails by design and would hide real failures; of the edge, what it says of the services.
fn http(service: &'static str) -> Hop {
    let (title, description, failed) = match service {
        "edge" => ("2 Edge", AT_THE_EDGE, r#"status=~"502|504""#),
        "order-api" => ("3 order-api", IN_A_SERVICE, r#"status=~"5..""#),
        _ => ("4 user-service", IN_A_SERVICE, r#"status=~"5..""#),
    };
    let of = format!("service=\"{service}\", endpoint!=\"/risky\"");
    Hop {
        title,
        description,
        rate: rates("", "http_requests_total", &of),
        errors: share("", "http_requests_total", &format!("{of}, {failed}"), &of),
        p95: quantile(0.95, "", "http_request_duration_seconds", &of),
        slow: LATENCY,
        to: (service, service),
    }
}

fn redis() -> Hop {
    Hop {
        title: "5 Redis",
        description: "Cache operations of user-service. Errors are failed and late operations; normal is 0.",
        rate: rates("", "cache_operation_duration_seconds_count", ""),
        errors: format!(
            "{}\n/\n{}",
            rates("", "cache_errors_total", ""),
            rates("", "cache_operation_duration_seconds_count", "")
        ),
        p95: quantile(0.95, "", "cache_operation_duration_seconds", ""),
        slow: STORE,
        to: ("data-stores", "Data stores"),
    }
}

fn postgres() -> Hop {
    Hop {
        title: "6 PostgreSQL",
        description: "Statements and transactions of all services, without the wait for a connection. Errors exclude conflicts and duplicates, which are regular results; normal is 0.",
        rate: rates("", "database_query_duration_seconds_count", ""),
        errors: format!(
            "{}\n/\n{}",
            rates("", "database_errors_total", r#"kind!~"conflict|duplicate""#),
            rates("", "database_query_duration_seconds_count", "")
        ),
        p95: quantile(0.95, "", "database_query_duration_seconds", ""),
        slow: STORE,
        to: ("data-stores", "Data stores"),
    }
}

fn kafka() -> Hop {
    Hop {
        title: "7 Kafka",
        description: "Messages published to all topics, and the time to the broker's acknowledgement. Normal is no errors and a few milliseconds.",
        rate: rates("", "kafka_published_total", ""),
        errors: share("", "kafka_published_total", r#"outcome="error""#, ""),
        p95: quantile(0.95, "", "kafka_publish_duration_seconds", ""),
        slow: STORE,
        to: ("orders-pipeline", "Orders pipeline"),
    }
}

fn worker() -> Hop {
    let of = r#"service="order-worker""#;
    Hop {
        title: "8 order-worker",
        description: "Orders handled, and the time of one attempt. Errors are dead letters; normal is 0.",
        rate: rates("", "orders_processed_total", of),
        errors: share("", "kafka_consumed_total", &format!("{of}, outcome=\"dead_letter\""), of),
        p95: quantile(0.95, "", "kafka_process_duration_seconds", of),
        slow: LATENCY,
        to: ("order-worker", "order-worker"),
    }
}

fn settled() -> Hop {
    Hop {
        title: "9 Settled",
        description: "Orders whose outcome was applied, and the time since their 202. Errors are totals that do not match their lines; normal is 0.",
        rate: rates("", "orders_settled_total", ""),
        errors: share("", "order_totals_checked_total", r#"result="mismatch""#, ""),
        p95: quantile(0.95, "", "order_settle_duration_seconds", ""),
        slow: SETTLE,
        to: ("orders-pipeline", "Orders pipeline"),
    }
}
