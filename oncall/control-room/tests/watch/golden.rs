//! What the program exports, as its dashboard and its rules rely on it.

use testkit::{Process, Scrape, eventually, free_addr, golden};

use crate::SOON;

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_exports_the_golden_scrape() {
    let (public, admin) = (free_addr().to_string(), free_addr());
    let admin_text = admin.to_string();
    let oncall = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oncall.yaml");
    // Nobody listens on port 1 without being root.
    let nobody = "http://127.0.0.1:1";
    let flags = [
        ["--public-addr", public.as_str()],
        ["--admin-addr", &admin_text],
        ["--oncall", oncall],
        ["--prometheus-url", nobody],
        ["--alertmanager-url", nobody],
        ["--traces-url", nobody],
    ];
    let process = Process::start(env!("CARGO_BIN_EXE_control-room"), &flags.concat());
    process.ready(admin).await;
    // Who is on call is known a moment later; all other metrics exist from the start.
    let contract = eventually(SOON, || async {
        let contract = Scrape::of(admin).await.contract();
        if contract.contains("control_room_on_call") { Ok(contract) } else { Err(contract) }
    })
    .await;
    golden::check(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/watch/snapshots/metrics.txt"), &contract);
}
