//! Who a process is.

/// Who this process is; goes into `/version`, `build_info`, log lines and the trace resource.
#[derive(Debug, Clone, Copy)]
pub struct ServiceInfo {
    /// The one name: folder, crate, binary, image, chart key, `service` label.
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
}

impl ServiceInfo {
    /// The commit that was built, where the build said so.
    #[must_use]
    pub fn revision(&self) -> &'static str {
        option_env!("BUILD_REVISION").unwrap_or("unknown")
    }
}
