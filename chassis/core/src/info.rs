//! The identity of a process.

/// Name and version of this process; they appear in `/version`, `build_info`, log lines and the trace resource.
#[derive(Debug, Clone, Copy)]
pub struct ServiceInfo {
    /// The one name of the program: folder, crate, binary, image, chart key, `service` label.
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
}

impl ServiceInfo {
    /// The commit that was built, if the build recorded it.
    #[must_use]
    pub fn revision(&self) -> &'static str {
        option_env!("BUILD_REVISION").unwrap_or("unknown")
    }
}
