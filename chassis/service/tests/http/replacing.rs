//! Instances replaced one after the other behind a balancer: the effect of a rollout on clients' requests.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use rand::RngExt as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Service, start};

/// How long the balancer keeps sending connections to an instance that is leaving: longer than its drain delay.
const LAG: Duration = Duration::from_millis(600);
const DRAIN_DELAY: &str = "--drain-delay=300ms";
const INSTANCES: usize = 2;
const REPLACEMENTS: usize = 6;
/// Clients that keep their connection, as pools do, and clients that open one for each request.
const KEEPING: usize = 100;
const OPENING: usize = 10;

/// Chooses an instance for each connection and never again, as kube-proxy does.
struct Balancer {
    address: SocketAddr,
    instances: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let instances = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&instances);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let target = {
                    let known: std::sync::MutexGuard<'_, Vec<SocketAddr>> = known.lock().expect("a lock");
                    known[rand::rng().random_range(0..known.len())]
                };
                tokio::spawn(async move {
                    let mut instance = TcpStream::connect(target).await?;
                    instance.set_nodelay(true)?;
                    client.set_nodelay(true)?;
                    copy_bidirectional(&mut client, &mut instance).await
                });
            }
        });
        Self { address, instances }
    }

    fn add(&self, instance: SocketAddr) {
        self.instances.lock().expect("a lock").push(instance);
    }

    fn remove(&self, instance: SocketAddr) {
        self.instances.lock().expect("a lock").retain(|&known| known != instance);
    }
}

/// Sends one request; returns whether the connection may be reused.
async fn ask(connection: &mut BufReader<TcpStream>) -> io::Result<bool> {
    connection.write_all(b"GET /things/1 HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let (mut keep, mut length, mut line) = (true, 0, String::new());
    loop {
        line.clear();
        if connection.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let header = line.trim_end().to_ascii_lowercase();
        match header.split_once(": ") {
            None if header.is_empty() => break,
            None if header != "http/1.1 200 ok" => return Err(io::Error::other(header)),
            Some(("connection", "close")) => keep = false,
            Some(("content-length", bytes)) => length = bytes.parse().map_err(io::Error::other)?,
            _ => {}
        }
    }
    connection.read_exact(&mut vec![0; length]).await?;
    Ok(keep)
}

/// Sends requests until told to stop, with a pause in between; every failure is recorded.
async fn client(
    to: SocketAddr,
    keeping: bool,
    stop: CancellationToken,
    asked: Arc<AtomicUsize>,
    failures: Arc<Mutex<Vec<String>>>,
) {
    let mut kept = None;
    while !stop.is_cancelled() {
        let reused = kept.is_some();
        let answer = async {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => BufReader::new(TcpStream::connect(to).await?),
            };
            let keep = ask(&mut connection).await?;
            io::Result::Ok((keep && keeping).then_some(connection))
        };
        match answer.await {
            Ok(connection) => kept = connection,
            Err(error) => {
                let which = if reused { "kept" } else { "new" };
                failures.lock().expect("a lock").push(format!("on a {which} connection: {error}"));
            }
        }
        asked.fetch_add(1, Relaxed);
        let thought = rand::rng().random_range(20..60);
        tokio::time::sleep(Duration::from_millis(thought)).await;
    }
}

async fn instance(balancer: &Balancer) -> Service {
    let routes = Router::new().route("/things/{id}", get(|| async { "thing" }));
    let service = start(routes, &[DRAIN_DELAY]).await;
    balancer.add(service.running.public.expect("a public port"));
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_every_instance_under_load_loses_no_request() {
    let balancer = Balancer::start().await;
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        instances.push(instance(&balancer).await);
    }
    let (stop, asked, failures) = (CancellationToken::new(), Arc::default(), Arc::default());
    let mut clients = JoinSet::new();
    for number in 0..KEEPING + OPENING {
        let keeping = number < KEEPING;
        clients.spawn(client(
            balancer.address,
            keeping,
            stop.clone(),
            Arc::clone(&asked),
            Arc::clone(&failures),
        ));
    }

    for _ in 0..REPLACEMENTS {
        instances.push(instance(&balancer).await);
        let old = instances.remove(0).running;
        let address = old.public.expect("a public port");
        let stopping = tokio::spawn(old.stop());
        // This time is what the test is about, not a wait.
        tokio::time::sleep(LAG).await;
        balancer.remove(address);
        assert!(stopping.await.expect("no panic"), "the drain was cut short");
    }

    stop.cancel();
    clients.join_all().await;
    let failures = failures.lock().expect("a lock");
    assert!(
        failures.is_empty(),
        "{} of {} requests failed: {failures:#?}",
        failures.len(),
        asked.load(Relaxed)
    );
}
