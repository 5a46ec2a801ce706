//! One message is one trace across the queue, and its scope travels with it.

use std::time::Duration;

use chassis_faults::scope::Scope;
use chassis_kafka::{Handler, InMessage, Verdict};
use testkit::{TraceSink, assert_child, assert_linked};
use tracing::Instrument;

use crate::support::{PATIENCE, TOPIC, broker, chassis, connect, kafka_config, message, subscription};

struct ScopeProbe(tokio::sync::mpsc::UnboundedSender<Scope>);

#[async_trait::async_trait]
impl Handler for ScopeProbe {
    async fn handle(&self, _: &InMessage) -> Verdict {
        let _ = self.0.send(Scope::current());
        Verdict::DeadLetter { reason: "malformed", cause: "for the test".into() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_consumer_span_is_a_child_of_and_linked_to_the_producer_span() {
    let (sink, broker) = (TraceSink::start().await, broker());
    let chassis = chassis(&["--otlp-endpoint", &sink.endpoint()]);
    let guard = testkit::panics_shown(|| chassis_otlp::init(&chassis)).expect("telemetry");
    let kafka = connect(&kafka_config(broker.brokers()), &chassis);
    let producer = kafka.producer(TOPIC);
    let (probe, mut scopes) = tokio::sync::mpsc::unbounded_channel();
    kafka.consume(subscription(&[]), ScopeProbe(probe)).expect("a consumer");

    let scope = Scope {
        route: "/orders".to_owned(),
        subject: [("user.id", "u1".to_owned()), ("user.tier", "gold".to_owned())].into(),
    };
    let span = tracing::info_span!("place_order");
    let trace_id = scope
        .enter(
            async {
                producer.publish(message("k", "x")).await.expect("an acknowledgement");
                chassis_telemetry::traces::current_trace_id().expect("a trace")
            }
            .instrument(span),
        )
        .await;

    let arrived = tokio::time::timeout(PATIENCE, scopes.recv()).await.expect("in time").expect("a scope");
    assert_eq!(arrived.route, TOPIC);
    assert_eq!(arrived.subject, [("user.id", "u1".to_owned()), ("user.tier", "gold".to_owned())].into());

    let flush = async {
        // The spans of other tasks end at any time: whatever has ended is sent, again and again.
        loop {
            guard.flush();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let names = ["place_order", "publish orders", "process orders", "publish orders.dlq"];
    let spans = tokio::select! {
        spans = sink.wait_for(&trace_id, &names, PATIENCE) => spans,
        () = flush => unreachable!("flushing does not end"),
    };
    let [root, publish, process, dead] =
        names.map(|name| spans.iter().find(|span| span.name == name).expect("was waited for"));
    assert_child(publish, root);
    assert_child(process, publish);
    assert_linked(process, publish);
    assert_child(dead, process);
    assert_eq!((publish.kind, process.kind), ("producer", "consumer"));
    assert_eq!(process.attributes["messaging.system"], "kafka");
    assert_eq!(process.attributes["messaging.destination.name"], TOPIC);
    assert_eq!(process.attributes["messaging.consumer.group.name"], "test");
    assert!(publish.attributes.contains_key("messaging.kafka.offset"), "{publish:?}");
    chassis.shutdown.cancel();
}
