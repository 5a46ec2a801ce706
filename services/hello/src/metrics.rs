//! All metrics of hello beyond those that the chassis exports for HTTP and the process.

use chassis_telemetry::metrics::IntCounter;

chassis_telemetry::metrics! {
    /// What the service counts. Cheap to clone.
    #[derive(Clone)]
    pub struct HelloMetrics {
        /// Greetings that were given.
        pub greetings_total: IntCounter,
    }
}
