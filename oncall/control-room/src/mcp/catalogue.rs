//! The tools as a client sees them: one table of names and texts. The schema of each is that of the type that
//! it reads, which is also the type of the query at `/api/v1/observe`.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::Value;
use utoipa::PartialSchema;

use super::{
    effect::Effect,
    tools::{
        Acknowledge, ActAsked, AlertsAsked, ChangesAsked, Diagnosis, IncidentsAsked, LogsAsked, MapAsked,
        MetricsAsked, Nothing, RunbooksAsked, TracesAsked, Update,
    },
};

/// What a client reads before it calls anything.
pub(super) const INSTRUCTIONS: &str = "\
You are on call for a small shop: load -> edge -> order-api -> user-service, a broker, order-worker; PostgreSQL and \
Redis. Begin with current_drill and list_alerts, then service_map and list_changes. Acknowledge the \
incident. Find out what is wrong with query_metrics (PromQL), search_logs, find_traces and read_runbook \
before you act. Acts change a running system: list_actions, then act with dry_run. Tell others with \
post_update. Say what the cause is with submit_diagnosis, and submit_done once users are served again. \
Answers are bounded: `notes` say what is missing and how to ask for it.";

struct Entry {
    name: &'static str,
    title: &'static str,
    what: &'static str,
    schema: fn() -> JsonObject,
}

/// A row of the table.
const fn tool(
    name: &'static str,
    title: &'static str,
    what: &'static str,
    schema: fn() -> JsonObject,
) -> Entry {
    Entry { name, title, what, schema }
}

/// All of them, in the order in which an incident is worked on.
const TABLE: &[Entry] = &[
    tool(
        "current_drill",
        "The drill",
        "The drill that is running: its brief, phase, hints and time box; null, if there is none.",
        schema::<Nothing>,
    ),
    tool(
        "list_alerts",
        "Alerts",
        "Alerts that are pending or firing, with their labels, texts and the name of their runbook.",
        schema::<AlertsAsked>,
    ),
    tool(
        "read_incident",
        "Incidents",
        "Open and recent incidents; or one, with its alerts, hypotheses and timeline.",
        schema::<IncidentsAsked>,
    ),
    tool(
        "service_map",
        "Service map",
        "Services and stores in the order of a request's path: rate, failing share, p95, lag, instances; who \
         calls whom; error budgets; protections that are off.",
        schema::<MapAsked>,
    ),
    tool(
        "list_changes",
        "Changes",
        "What changed: releases, flags, configuration, restarts, what people did. Newest first.",
        schema::<ChangesAsked>,
    ),
    tool(
        "query_metrics",
        "Metrics",
        "A query in PromQL to Prometheus: the values at an instant, or with `start` a curve. Metric names \
         follow the usual conventions: http_requests_total{service, endpoint, status}, \
         http_request_duration_seconds, kafka_consumer_lag, up.",
        schema::<MetricsAsked>,
    ),
    tool(
        "search_logs",
        "Logs",
        "The newest log lines that match: by service, level, text or trace.",
        schema::<LogsAsked>,
    ),
    tool(
        "find_traces",
        "Traces",
        "Traces of a service, the longest first; or one trace with its spans in the order of the calls.",
        schema::<TracesAsked>,
    ),
    tool(
        "read_runbook",
        "Runbook",
        "The runbook of an alert: meaning, impact, how to investigate, how to mitigate. Without a name: the \
         names of all.",
        schema::<RunbooksAsked>,
    ),
    tool(
        "list_actions",
        "Possible actions",
        "The actions that `act` takes, each with an example, and the services and databases that there are.",
        schema::<Nothing>,
    ),
    tool(
        "act",
        "Act",
        "Changes the system: restart, rollback, set_protection, … Set dry_run to see what it would do.",
        schema::<ActAsked>,
    ),
    tool(
        "acknowledge",
        "Acknowledge",
        "Takes an incident: nobody else is paged. Without an incident, says that you noticed something.",
        schema::<Acknowledge>,
    ),
    tool(
        "post_update",
        "Post an update",
        "Tells everybody what users notice, what is known and what comes next.",
        schema::<Update>,
    ),
    tool("take_hint", "Take a hint", "The next hint of the drill. It costs points.", schema::<Nothing>),
    tool(
        "submit_diagnosis",
        "Submit the diagnosis",
        "Which components are the cause, what fails, which change, since when, and queries that show it.",
        schema::<Diagnosis>,
    ),
    tool(
        "submit_done",
        "Submit: it is over",
        "Says that users are served again. The drill is judged then, so look first. Final.",
        schema::<Nothing>,
    ),
];

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| TABLE.iter().map(described).collect());

/// All tools.
pub(super) fn tools() -> Vec<Tool> {
    TOOLS.clone()
}

/// A tool by its name.
pub(super) fn find(name: &str) -> Option<Tool> {
    TOOLS.iter().find(|tool| tool.name == name).cloned()
}

fn described(entry: &Entry) -> Tool {
    let effect = Effect::of(entry.name);
    let hints = ToolAnnotations::with_title(entry.title)
        .read_only(effect == Some(Effect::Reads))
        .destructive(effect == Some(Effect::Acts))
        .idempotent(effect == Some(Effect::Reads))
        .open_world(false);
    Tool::new(entry.name, entry.what, Arc::new((entry.schema)())).with_annotations(hints)
}

/// The JSON Schema of what a tool reads.
fn schema<T: PartialSchema>() -> JsonObject {
    // Texts, numbers and maps by text only: cannot fail, and a struct is an object.
    match serde_json::to_value(T::schema()) {
        Ok(Value::Object(mut object)) => {
            object.entry("properties").or_insert_with(|| Value::Object(JsonObject::new()));
            object
        }
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_tool_has_a_schema_with_a_text_for_each_field() {
        for tool in tools() {
            let schema = Value::Object((*tool.input_schema).clone());
            assert_eq!(schema["type"], "object", "{}: {schema}", tool.name);
            assert_eq!(schema["additionalProperties"], json!(false), "{}: {schema}", tool.name);
            assert!(!schema.to_string().contains("$ref"), "{}: a client cannot follow {schema}", tool.name);
            for (name, field) in schema["properties"].as_object().unwrap() {
                let text = field["description"].as_str().unwrap_or_default();
                assert!(text.len() > 10, "{}: {name} says nothing: {field}", tool.name);
            }
        }
    }

    #[test]
    fn what_is_required_is_said() {
        let required = |name: &str| find(name).unwrap().input_schema.get("required").cloned();
        assert_eq!(required("query_metrics"), Some(json!(["query"])));
        assert_eq!(required("act"), Some(json!(["action"])));
        assert_eq!(required("submit_diagnosis"), Some(json!(["components"])));
        assert_eq!(required("list_alerts"), None);
    }

    #[test]
    fn a_client_is_told_which_tools_only_look_and_which_one_acts() {
        let acting = tools().into_iter().filter(|tool| {
            tool.annotations.as_ref().is_some_and(|hints| hints.destructive_hint == Some(true))
        });
        assert_eq!(acting.map(|tool| tool.name).collect::<Vec<_>>(), ["act"]);
        let reading = tools()
            .into_iter()
            .filter(|tool| tool.annotations.as_ref().is_some_and(|hints| hints.read_only_hint == Some(true)));
        assert_eq!(reading.count(), 10);
        assert!(TABLE.iter().all(|entry| Effect::of(entry.name).is_some()));
        let words: Vec<&str> = TABLE.iter().map(|entry| entry.name).collect();
        for named in ["current_drill", "list_alerts", "list_actions", "submit_done"] {
            assert!(words.contains(&named) && INSTRUCTIONS.contains(named));
        }
    }
}
