//! Grafana's address, where no Grafana is installed.

use std::net::TcpListener;

use crate::rig::Rig;

#[tokio::test]
async fn a_link_to_grafana_leads_to_the_same_board_here() {
    let rig = Rig::with(&["--grafana-addr=127.0.0.1:0", "--public-url=http://localhost:8080"]).await;
    for (path, to) in [
        ("/", "/dashboards"),
        ("/login", "/dashboards"),
        ("/dashboards", "/dashboards"),
        ("/d/order-api", "/d/order-api"),
        (
            "/d/order-api/order-api?from=now-1h&var-job=a%26b",
            "/d/order-api/order-api?from=now-1h&var-job=a%26b",
        ),
        ("/explore?panes=%7B%7D", "/explore?panes=%7B%7D"),
    ] {
        let shown = rig.get_at("grafana", "localhost:3000", path).await;
        let expected = (302, format!("http://localhost:8080{to}"));
        assert_eq!((shown.status, shown.location), expected, "{path}");
    }
    for path in ["/api/health", "/api/dashboards/uid/order-api", "/d", "/incidents", "/actions"] {
        let shown = rig.get_at("grafana", "localhost:3000", path).await;
        assert_eq!((shown.status, shown.location.as_str()), (404, ""), "{path}: only Grafana's pages");
    }
    let foreign = rig.get_at("grafana", "evil.example", "/").await;
    assert_eq!(foreign.status, 421, "{}", foreign.body);
    rig.page("/d/order-api").await;
    rig.stop().await;
}

#[tokio::test]
async fn everything_else_works_if_another_program_has_its_port() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let rig = Rig::with(&[&format!("--grafana-addr={address}")]).await;
    assert!(!rig.has_port("grafana"));
    rig.page("/dashboards").await;
    rig.stop().await;
}
