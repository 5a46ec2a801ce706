//! The OpenAPI documents against the running services: schemathesis sends what they allow and what they forbid, and checks
//! every response against them. `tools/schemathesis` installs it and configures its checks.

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
            testkit::conforms(address, &["--max-examples", "40", "--checks", "all"]).await;
        }
    });
}
