//! Ships the logs of the parts: to Loki where Grafana's is installed, to OpenSearch if you ask for it. Both read the files
//! that `lab logs` reads.

pub(crate) mod loki;
pub(crate) mod opensearch;
