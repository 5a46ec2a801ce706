//! The ports of a lab on the loopback interface.

use supervisor::ports::{self, PortChoice, PortSpec};

const fn port(name: &'static str, default: u16) -> PortSpec {
    PortSpec { name, default }
}

/// All ports, the most used first.
pub(crate) const PORTS: &[PortSpec] = &[
    port("order-api", 8001),
    port("order-api-admin", 9101),
    port("user-service", 8002),
    port("user-service-admin", 9102),
    port("order-worker-admin", 9103),
    port("load-admin", 9105),
    port("lab-traces-admin", 9106),
    port("lab-kafka-admin", 9107),
    port("lab-pager-admin", 9108),
    port("prometheus", 9090),
    port("alertmanager", 9093),
    port("grafana", 3000),
    port("loki", 3100),
    port("loki-grpc", 9095),
    port("traces-ui", 16686),
    port("otlp-grpc", 4317),
    port("otlp-http", 4318),
    port("postgres", 5432),
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
