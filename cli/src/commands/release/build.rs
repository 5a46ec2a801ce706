//! A build in the lab's folder, where the control room finds how a version of a service is started.

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use release::fleet::{BUILDS, Build, FOLDER, Registered, is_name, registered};
use supervisor::write_private;

use crate::home::Home;

/// Registers how a version is started, with when that was written. A name that is registered already gets the new build.
///
/// # Errors
/// When a name cannot be a part of a path, the build cannot be started, or the file cannot be written.
pub(in crate::commands) fn register(
    home: &Home,
    (service, version): (&str, &str),
    build: Build,
    written: DateTime<Utc>,
) -> Result<()> {
    named(service, version)?;
    if let Err(wrong) = build.check() {
        bail!("{wrong}");
    }
    let text = serde_json::to_string_pretty(&Registered { build, written })?;
    let path = home.dir.join(FOLDER).join(BUILDS).join(registered(service, version));
    Ok(write_private(&path, &text)?)
}

/// Both become parts of paths.
///
/// # Errors
/// A sentence that says what is expected.
pub(super) fn named(service: &str, version: &str) -> Result<()> {
    if !is_name(version) {
        bail!(
            "--version: expected letters, digits, dots, dashes and underscores, such as v2, found `{version}`"
        );
    }
    if !is_name(service) {
        bail!("expected a service such as order-api, found `{service}`");
    }
    Ok(())
}
