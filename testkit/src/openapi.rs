//! Schemathesis: requests made from the OpenAPI document of a running program, and its answers checked against it.

use std::{net::SocketAddr, path::Path, process::Stdio};

use crate::schemathesis;

/// Runs it against the document that `address` serves at `/openapi.json`, with these arguments besides the address.
/// What a program must do is in `tools/schemathesis/schemathesis.toml`. Call `needs!(Schemathesis)` first.
///
/// # Panics
/// If it finds something, with its report.
pub async fn conforms(address: SocketAddr, arguments: &[&str]) {
    let home = tempfile::tempdir().expect("a temp folder");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/schemathesis/schemathesis.toml");
    let output = tokio::process::Command::new(schemathesis())
        .arg("--config-file")
        .arg(config)
        .args(["--no-color", "run", &format!("http://{address}/openapi.json")])
        .args(["--seed", "1", "--continue-on-failure"])
        .args(arguments)
        // It stores a database of examples in its working folder.
        .current_dir(home.path())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("schemathesis runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{address}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
}
