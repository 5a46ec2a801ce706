//! The OpenAPI documents against the running services: schemathesis sends what they allow and what they forbid, and checks
//! every response against them. `tools/schemathesis` installs it and configures its checks.

use std::{net::SocketAddr, path::Path, process::Stdio};

use crate::lab::{Lab, Parts, run};

/// The services follow their documents: no undocumented status, no valid request refused, no invalid one accepted.
#[test]
fn the_services_conform_to_their_openapi_documents() {
    testkit::needs!(Postgres, Redis, Schemathesis);
    run(async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        // It fails one call in five, at random.
        lab.admin.delete("/faults/risky").await.expect_status(200);
        let users = lab.users.as_ref().and_then(|users| users.public).unwrap();
        // One after the other: each alone keeps the machine busy.
        for address in [lab.api.public.unwrap(), users] {
            check(address).await;
        }
    });
}

async fn check(address: SocketAddr) {
    let home = tempfile::tempdir().unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/schemathesis/schemathesis.toml");
    let output = tokio::process::Command::new(testkit::schemathesis())
        .arg("--config-file")
        .arg(config)
        .args(["--no-color", "run", &format!("http://{address}/openapi.json")])
        .args(["--max-examples", "40", "--seed", "1", "--checks", "all", "--continue-on-failure"])
        // It stores a database of examples in its working folder.
        .current_dir(home.path())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{address}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
}
