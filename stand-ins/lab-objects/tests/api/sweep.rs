//! Sweeps every fault of the store: nothing reveals it, and it leaves nothing behind.

use futures::future::{BoxFuture, join_all};
use testkit::{Http, TraceSink, free_addr, sweep};

use crate::client::Client;

const BINARY: &str = env!("CARGO_BIN_EXE_lab-objects");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_gives_itself_away_or_leaves_anything_behind() {
    let replicas = join_all((0..3).map(|_| replica())).await;
    sweep::sweep(replicas).await;
}

async fn replica() -> sweep::Subject {
    // It exports no spans, so none may arrive.
    let traces = TraceSink::start().await;
    let (s3, admin) = (free_addr(), free_addr());
    let folder = sweep::data();
    // What arrives and is no object yet: all that a call that fails could leave. Objects themselves stay, and change.
    let arriving = tempfile::Builder::new().prefix("tmp").rand_bytes(0).tempdir_in(folder.path()).unwrap();
    let flags = [
        format!("--s3-addr={s3}"),
        format!("--admin-addr={admin}"),
        format!("--folder={}", folder.path().display()),
        "--secret-key=a-secret-of-tests".to_owned(),
        "--bucket=box".to_owned(),
        "--log-level=debug".to_owned(),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let process = sweep::process(BINARY, &flags);
    process.ready(admin).await;
    let client = Client::to(s3);
    sweep::Subject {
        name: lab_objects::SERVICE.name,
        process,
        admin: Http::to(admin),
        database: None,
        redis: None,
        data: arriving,
        traces,
        traffic: Box::new(move || Box::pin(traffic(client.clone())) as BoxFuture<'static, ()>),
        keep: Box::new(folder),
    }
}

/// Objects that are put, read, listed and deleted; one that is not there; and a stranger.
async fn traffic(client: Client) {
    let large = vec![b'x'; 256 << 10];
    let stranger = client.with_secret("another-secret-of-tests");
    let coming_and_going = async {
        send(&client, "PUT", "/box/comes", b"text").await;
        send(&client, "GET", "/box/comes", b"").await;
        send(&client, "DELETE", "/box/comes", b"").await;
    };
    futures::join!(
        send(&client, "PUT", "/box/stays", b"text"),
        send(&client, "PUT", "/box/large", &large),
        send(&client, "GET", "/box/large", b""),
        send(&client, "HEAD", "/box/stays", b""),
        send(&client, "GET", "/box/none", b""),
        send(&client, "GET", "/box?list-type=2", b""),
        coming_and_going,
        send(&stranger, "GET", "/box/stays", b""),
    );
}

/// Whatever the answer is.
async fn send(client: &Client, method: &str, uri: &str, body: &[u8]) {
    drop(client.try_send(method, uri, &[], body).await);
}
