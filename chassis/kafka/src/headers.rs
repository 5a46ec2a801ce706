//! Message headers: between librdkafka's form and a map of text, and the scope that travels in them as baggage.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rdkafka::message::{Header, Headers, Message, OwnedHeaders};

use chassis_faults::{Attribute, scope::Scope};
use chassis_telemetry::traces;

/// The headers to send: the message's own, with the current span as trace parent; a baggage that came with the message wins.
pub(super) fn outgoing(mut headers: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let baggage = headers.remove("baggage");
    headers.extend(traces::inject());
    headers.extend(baggage.map(|baggage| ("baggage".to_owned(), baggage)));
    headers
}

/// In the form that librdkafka takes.
pub(super) fn to_native(headers: &BTreeMap<String, String>) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |native, (key, value)| {
        native.insert(Header { key, value: Some(value) })
    })
}

/// The headers of a message whose name and value are UTF-8.
pub(super) fn of_message(message: &impl Message) -> BTreeMap<String, String> {
    let Some(native) = message.headers() else { return BTreeMap::new() };
    (0..native.count())
        .filter_map(|n| {
            // rdkafka 0.39 panics on a name that is not UTF-8, which would end the task of the partition and block everything
            // behind the message.
            let header = catch_unwind(AssertUnwindSafe(|| native.try_get(n))).ok()??;
            let value = std::str::from_utf8(header.value?).ok()?;
            Some((header.key.to_owned(), value.to_owned()))
        })
        .collect()
}

/// The scope of a message: its topic, and the subject in its baggage.
pub(super) fn scope(topic: &str, headers: &BTreeMap<String, String>, subject: &'static [Attribute]) -> Scope {
    traces::scope_of(topic, headers.get("baggage").map(String::as_str), subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_a_message_is_its_topic_and_the_user_of_its_baggage() {
        let headers = BTreeMap::from([("baggage".to_owned(), "user.id=u%201,user.tier=gold,x=y".to_owned())]);
        const SUBJECT: &[Attribute] = &[
            Attribute { key: "user.id", param: "user_id", summary: "" },
            Attribute { key: "user.tier", param: "user_tier", summary: "" },
        ];
        let scope = scope("orders", &headers, SUBJECT);
        assert_eq!(scope.route, "orders");
        assert_eq!(scope.subject, [("user.id", "u 1".to_owned()), ("user.tier", "gold".to_owned())].into());
    }
}
