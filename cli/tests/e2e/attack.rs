//! A minute under attack: slow clients of every kind hold connections to the edge and to order-api. The others are
//! served, and by Prometheus's evaluation of the rules nothing that pages is even pending.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};

use crate::{
    dashboards::get,
    lab::{BACK, Lab, eventually},
};

/// Of each kind, at each of the two ports.
const CLIENTS: u32 = 500;
/// For four kinds at two ports, and for everything else that a test has open.
const DESCRIPTORS: u64 = 5_000;
/// Longer than the fastest page needs: its windows are a minute and five seconds.
const ATTACK: Duration = Duration::from_mins(1);
/// Between two clients of a kind that come: a crowd of two thousand is there after five seconds.
const NEXT: Duration = Duration::from_millis(10);
/// Between two bytes of a client that trickles.
const PACE: Duration = Duration::from_millis(500);
/// After which a client that was cut comes back. Sooner, it would be a flood of connections, which costs a core by
/// itself.
const RETURN: Duration = Duration::from_secs(5);
/// Between two looks at the alerts. The rules are evaluated every second.
const LOOK: Duration = Duration::from_secs(1);
/// Of the requests of normal clients, at most one of this many may fail.
const ONE_OF: usize = 100;

/// How a client holds its connection.
#[derive(Debug, Clone, Copy)]
enum Kind {
    SlowHead,
    SlowBody,
    NeverReads,
    Idle,
}

const KINDS: [Kind; 4] = [Kind::SlowHead, Kind::SlowBody, Kind::NeverReads, Kind::Idle];

impl Kind {
    /// What the client sends at once.
    const fn begin(self) -> &'static str {
        match self {
            Self::SlowHead => "GET /orders HTTP/1.1\r\n",
            Self::SlowBody => {
                "POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 content-length: 1000\r\n\r\n"
            }
            // One answer, which needs no store, so the attack is on connections alone.
            Self::NeverReads => "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n",
            Self::Idle => "",
        }
    }

    /// Sends the next byte, if it sends any; whether the connection is still open, as far as such a client notices.
    async fn goes_on(self, tcp: &mut TcpStream) -> bool {
        match self {
            Self::SlowHead | Self::SlowBody => tcp.write_all(b"x").await.is_ok(),
            Self::NeverReads => true,
            Self::Idle => tcp.try_read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
        }
    }
}

async fn connect(kind: Kind, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if matches!(kind, Kind::NeverReads) {
        socket.set_recv_buffer_size(4096)?;
    }
    let mut tcp = socket.connect(address).await?;
    tcp.write_all(kind.begin().as_bytes()).await?;
    Ok(tcp)
}

/// Holds a connection, and comes back each time that it is cut.
async fn hold(kind: Kind, address: SocketAddr, late: Duration) {
    sleep(late).await;
    loop {
        if let Ok(mut tcp) = connect(kind, address).await {
            while kind.goes_on(&mut tcp).await {
                // The pace of the client, not a wait for something.
                sleep(PACE).await;
            }
        }
        sleep(RETURN).await;
    }
}

/// All clients of every kind at these ports. They are gone when it is dropped.
fn crowd(ports: [u16; 2]) -> JoinSet<()> {
    let mut crowd = JoinSet::new();
    for port in ports {
        for kind in KINDS {
            for number in 0..CLIENTS {
                crowd.spawn(hold(kind, (Ipv4Addr::LOCALHOST, port).into(), number * NEXT));
            }
        }
    }
    crowd
}

/// More descriptors than the usual 1024, which a crowd needs, until it is dropped. The lab runs by then and keeps its
/// own limit, and the next lab gets the usual one.
struct Descriptors(Rlimit);

impl Descriptors {
    fn take() -> Self {
        let limit = getrlimit(Resource::Nofile);
        if limit.current.is_some_and(|current| current < DESCRIPTORS) {
            let more = Rlimit { current: Some(DESCRIPTORS), maximum: limit.maximum };
            setrlimit(Resource::Nofile, more).expect("the machine allows it");
        }
        Self(limit)
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        let _ = setrlimit(Resource::Nofile, self.0);
    }
}

/// The alerts that page and are pending or firing, as the real rules were evaluated last.
async fn paging(prometheus: &str) -> BTreeSet<String> {
    let answer = get(&format!("{prometheus}/api/v1/alerts"), &[]).await;
    let alerts = answer["data"]["alerts"].as_array().unwrap_or_else(|| panic!("no alerts: {answer}"));
    let page = alerts.iter().filter(|alert| alert["labels"]["severity"] == "page");
    page.map(|alert| format!("{} is {}: {}", alert["labels"], alert["state"], alert["value"])).collect()
}

/// The rules that could page; each was evaluated without an error.
async fn rules_that_page(prometheus: &str) -> usize {
    let answer = get(&format!("{prometheus}/api/v1/rules"), &[("type", "alert")]).await;
    let groups = answer["data"]["groups"].as_array().unwrap_or_else(|| panic!("no rules: {answer}"));
    let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
    let page: Vec<&Value> = rules.filter(|rule| rule["labels"]["severity"] == "page").collect();
    let ill: Vec<_> = page.iter().filter(|rule| rule["health"] != "ok").collect();
    assert!(ill.is_empty(), "not evaluated: {ill:#?}");
    page.len()
}

/// What a normal client asks, over a new connection each time; why it failed, if it did.
async fn ask(url: &str) -> Result<(), String> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
    let client = client.build().expect("a client");
    let answer = client.get(url).send().await.map_err(|error| format!("{url}: {error:?}"))?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("{url}: {}", answer.status())) }
}

/// Looks at the alerts, as a normal client beside the crowd, for as long as the attack lasts; every alert that was
/// seen, and what each request came to.
async fn watch(prometheus: &str, urls: &[String]) -> (BTreeSet<String>, Vec<Result<(), String>>) {
    let (begun, mut seen, mut asked) = (Instant::now(), BTreeSet::new(), Vec::new());
    while begun.elapsed() < ATTACK {
        for url in urls {
            asked.push(ask(url).await);
        }
        seen.extend(paging(prometheus).await);
        // Time is the subject: nothing may happen in it.
        sleep(LOOK).await;
    }
    (seen, asked)
}

/// The only number that a query returns.
async fn number(lab: &Lab, query: &str) -> f64 {
    let series = lab.query(query).await;
    let value = series.first().and_then(|one| one["value"][1].as_str()?.parse().ok());
    value.unwrap_or_else(|| panic!("{query}: {series:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_of_slow_clients_of_every_kind_pages_nobody() {
    let Some(lab) = Lab::up(&["--rate", "20"]).await else { return };
    lab.healthy().await;
    let prometheus = format!("http://127.0.0.1:{}", lab.named_port("prometheus"));
    assert!(rules_that_page(&prometheus).await >= 10, "no rule could page");
    eventually(BACK, || async {
        let paging = paging(&prometheus).await;
        if paging.is_empty() { Ok(()) } else { Err(format!("before the attack: {paging:#?}")) }
    })
    .await;

    let _descriptors = Descriptors::take();
    let ports = [lab.named_port("edge"), lab.port("order-api", "order-api")];
    let urls: Vec<_> = ports
        .iter()
        .flat_map(|port| ["/orders?limit=5", "/orders?status=pending&limit=1"].map(|path| (port, path)))
        .map(|(port, path)| format!("http://127.0.0.1:{port}{path}"))
        .collect();
    let crowd = crowd(ports);
    let (seen, asked) = watch(&prometheus, &urls).await;

    // It was an attack: both ports had to cut connections all the time.
    for job in ["edge", "order-api"] {
        let cut = format!(
            r#"sum(increase(http_clients_refused_total{{job="{job}", port="public", reason="crowded"}}[1m]))"#
        );
        let cut = number(&lab, &cut).await;
        assert!(cut >= f64::from(CLIENTS), "{job} had to cut only {cut} connections");
    }
    // The load generator's requests, which go through the edge and reuse connections.
    let all = r#"sum(increase(load_requests_total{operation!="risky"}[1m]))"#;
    let well = r#"sum(increase(load_requests_total{operation!="risky", outcome="ok"}[1m]))"#;
    let (all, well) = (number(&lab, all).await, number(&lab, well).await);
    drop(crowd);

    assert!(seen.is_empty(), "pending or firing under attack: {seen:#?}");
    let pages = lab.pages();
    let paged: Vec<_> = pages.iter().filter(|page| page["severity"] == "page").collect();
    assert!(paged.is_empty(), "somebody was paged: {paged:#?}");
    let failed: Vec<_> = asked.iter().filter_map(|one| one.as_ref().err()).collect();
    assert!(asked.len() >= 100, "only {} requests of a normal client in a minute", asked.len());
    assert!(failed.len() * ONE_OF <= asked.len(), "{} of {}: {failed:#?}", failed.len(), asked.len());
    assert!(
        all > 0.0 && (all - well) * ONE_OF as f64 <= all,
        "{well} of {all} requests of the load were well"
    );
    lab.down();
}
