//! The ports of a lab on the loopback interface.

use anyhow::{Context, Result, anyhow};
use supervisor::{
    Part,
    ports::{self, Outgoing, PortChoice, PortSpec, Ports},
};

const fn port(name: &'static str, default: u16) -> PortSpec {
    PortSpec { name, default }
}

/// All ports, the most used first.
pub(crate) const PORTS: &[PortSpec] = &[
    port("control-room", 8080),
    port("control-room-admin", 9104),
    // What the edges of one lab share; the first one has a port of its own only if there are several.
    port("edge", 8000),
    port("edge-admin", 9100),
    port("order-api", 8001),
    port("order-api-admin", 9101),
    port("user-service", 8002),
    port("user-service-admin", 9102),
    port("order-worker-admin", 9103),
    port("load-admin", 9105),
    port("probe-admin", 9108),
    // Further instances: `lab up --replicas`.
    port("order-api-2", 8003),
    port("order-api-2-admin", 9131),
    port("user-service-2", 8004),
    port("user-service-2-admin", 9136),
    port("order-worker-2-admin", 9114),
    port("order-api-3", 8005),
    port("order-api-3-admin", 9115),
    port("user-service-3", 8007),
    port("user-service-3-admin", 9116),
    port("order-worker-3-admin", 9119),
    port("edge-own", 8009),
    port("edge-2", 8006),
    port("edge-2-admin", 9117),
    port("edge-3", 8008),
    port("edge-3-admin", 9118),
    // Started only by `lab up --staging`.
    port("edge-staging", 8010),
    port("edge-staging-admin", 9139),
    // The proxies between the parts: `lab up --chaos`.
    port("chaos-order-api-postgres", 9137),
    port("chaos-user-service-postgres", 9138),
    port("chaos-order-worker-postgres", 9154),
    port("chaos-user-service-redis", 9159),
    port("chaos-order-api-user-service", 9177),
    port("chaos-order-api-user-service-2", 9178),
    port("chaos-order-api-user-service-3", 9155),
    // Started only by `lab up --cloud`.
    port("notifier-admin", 9112),
    // During a release: parts/edge.rs has the services that can be released.
    port("order-api-canary", 8011),
    port("order-api-canary-admin", 9132),
    port("order-api-baseline", 8012),
    port("order-api-baseline-admin", 9133),
    port("user-service-canary", 8013),
    port("user-service-canary-admin", 9134),
    port("user-service-baseline", 8014),
    port("user-service-baseline-admin", 9135),
    port("lab-traces-admin", 9106),
    port("lab-kafka-admin", 9107),
    // Not their usual numbers, on which the machine may have exporters of its own.
    port("node-exporter", 9110),
    port("postgres-exporter", 9111),
    port("redis-exporter", 9113),
    // Started only by `lab up --objects`; then an OpenSearch or Elasticsearch of yours has to be elsewhere.
    port("lab-objects", 9200),
    port("lab-objects-admin", 9109),
    port("prometheus", 9090),
    port("alertmanager", 9093),
    port("grafana", 3000),
    port("loki", 3100),
    port("loki-grpc", 9095),
    // Not its usual number, which an OpenSearch or Elasticsearch of yours may have.
    port("opensearch", 9216),
    port("opensearch-transport", 9316),
    // Where LocalStack listens, and so what replaces it.
    port("cloud", 4566),
    port("traces-ui", 16686),
    port("otlp-grpc", 4317),
    port("otlp-http", 4318),
    port("postgres", 5432),
    // `lab up --replica`.
    port("postgres-replica", 5433),
    port("redis", 6379),
    port("kafka", 9092),
    port("kafka-controller", 9094),
];

/// Reads `--port NAME=NUMBER`.
///
/// # Errors
/// A sentence with the expected form.
pub(crate) fn parse_choice(text: &str) -> Result<PortChoice, String> {
    ports::parse_choice(PORTS, text)
}

/// The numbers of one lab: the defaults, moved by `--port-offset`, then the single choices of `--port`.
///
/// # Errors
/// As [`Ports::choose`].
pub(crate) fn choose(offset: u16, choices: &[PortChoice], outgoing: &Outgoing) -> Result<Ports> {
    Ports::choose(PORTS, offset, choices, outgoing).context("--port-offset, --port")
}

/// Checks that the ports of all parts are free before anything starts.
///
/// # Errors
/// Every taken port with its holder, and what to do about it.
pub(crate) fn check(parts: &[Part]) -> Result<()> {
    let wanted = parts.iter().flat_map(|part| {
        part.ports.iter().map(|(name, number)| (name.as_str(), *number, part.name.as_str()))
    });
    ports::check_free(wanted).map_err(|taken| {
        anyhow!(
            "{taken}\nstop what holds it, or move: one port with --port NAME=NUMBER, all with --port-offset 10000"
        )
    })
}
