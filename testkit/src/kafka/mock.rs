//! librdkafka's mock cluster, in a process of its own: an assertion that fails in it ends that process and not the tests.
//!
//! The process is the test program once more, running the one test that [`broker!`](crate::broker) declares. So the broker is
//! always of the same build as its tests, and no other program has to be built before. It listens on a socket in its folder
//! for orders, one line each, and answers each with one line.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rdkafka::{
    mocking::MockCluster,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

use super::PARTITIONS;
use crate::{needs::variable, tether::Tether};

/// For the process to start, and for each of its answers: a moment, unless the machine is very busy.
const PATIENCE: Duration = Duration::from_secs(60);

const FOLDER: &str = "TESTKIT_BROKER_FOLDER";
const TOPICS: &str = "TESTKIT_BROKER_TOPICS";
const SOCKET: &str = "orders";

/// A running cluster of one broker; it ends when dropped, and with the test process.
pub(super) struct Mock {
    folder: PathBuf,
    brokers: String,
    /// Whether its end is wanted.
    ending: Arc<AtomicBool>,
    tether: Option<Tether>,
    watcher: Option<JoinHandle<()>>,
}

impl Mock {
    /// A cluster with these topics.
    pub(super) fn start(topics: &[&str]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("testkit-broker-").tempdir().expect("a temp folder").keep();
        let program = std::env::current_exe().expect("the test program");
        let mut command = vec!["env".to_owned()];
        command.push(format!("{FOLDER}={}", folder.display()));
        command.push(format!("{TOPICS}={}", topics.join(",")));
        command.push(program.display().to_string());
        command.extend(["--exact", "testkit_broker", "--ignored", "--nocapture"].map(str::to_owned));
        // KILL: it has nothing to save, and an orderly end would give its assertions another chance.
        let mut tether = Tether::start(&folder, "KILL", &command);
        let brokers = first_answer(&folder, &mut tether);
        let ending = Arc::new(AtomicBool::new(false));
        let watcher = watch(&folder, &tether, Arc::clone(&ending));
        Self { folder, brokers, ending, tether: Some(tether), watcher: Some(watcher) }
    }

    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.tether.as_ref().map(Tether::pid)
    }

    /// Returns when the broker has done it.
    pub(super) fn set_up(&self, up: bool) {
        self.order(if up { "up" } else { "down" });
    }

    pub(super) fn round_trip(&self, delay: Duration) {
        self.order(&format!("rtt {}", delay.as_millis()));
    }

    pub(super) fn lose_a_batch(&self) {
        self.order("lose");
    }

    fn order(&self, order: &str) {
        let answer = ask(&self.folder, order).unwrap_or_else(|error| panic!("the broker, {order}: {error}"));
        assert_eq!(answer, "ok", "the broker, {order}");
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // One that does not answer has died before, and is named.
        self.ending.store(ask(&self.folder, "brokers").is_ok(), Relaxed);
        drop(self.tether.take());
        let _ = self.watcher.take().map(JoinHandle::join);
    }
}

/// Waits for the process; where its broker listens.
fn first_answer(folder: &Path, tether: &mut Tether) -> String {
    let start = Instant::now();
    loop {
        if let Ok(brokers) = ask(folder, "brokers") {
            return brokers;
        }
        assert!(
            tether.alive(),
            "the broker did not start; is `testkit::broker!();` in the root of this test program?\n{}",
            tether.last_words()
        );
        assert!(start.elapsed() < PATIENCE, "the broker did not start: {}", tether.last_words());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Says at once when the broker dies, with its last words: tests that use it fail much later, and of something else.
fn watch(folder: &Path, tether: &Tether, ending: Arc<AtomicBool>) -> JoinHandle<()> {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let words = tether.words();
    let mut connection = UnixStream::connect(folder.join(SOCKET)).expect("the broker listens");
    connection.write_all(b"hold\n").expect("the broker reads");
    std::thread::spawn(move || {
        // Nothing is ever sent: the connection ends with the process.
        let _ = connection.read(&mut [0]);
        if !ending.load(Relaxed) {
            // Past libtest's capture, which would keep the line for a test that hangs.
            let words: String = words.last().lines().map(|line| format!("BROKER DIED: {line}\n")).collect();
            let _ = write!(io::stderr(), "\nBROKER DIED, which {test} started; its last words:\n{words}");
        }
    })
}

fn ask(folder: &Path, order: &str) -> io::Result<String> {
    let mut connection = UnixStream::connect(folder.join(SOCKET))?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(format!("{order}\n").as_bytes())?;
    let mut answer = String::new();
    if BufReader::new(connection).read_line(&mut answer)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(answer.trim_end().to_owned())
}

/// The process of the broker: serves until it is killed. Returns at once when nobody has asked for a broker, as in a run of all
/// ignored tests.
///
/// # Panics
/// When librdkafka refuses, or the folder is gone.
pub fn serve_broker() {
    let (Some(folder), Some(topics)) = (variable(FOLDER), variable(TOPICS)) else { return };
    let cluster = MockCluster::new(1).expect("a mock cluster");
    for topic in topics.to_str().expect("UTF-8").split(',') {
        cluster.create_topic(topic, PARTITIONS, 1).expect("a topic");
    }
    // Bound last: a client that can connect finds a cluster.
    let listener = UnixListener::bind(Path::new(&folder).join(SOCKET)).expect("a socket in the folder");
    let mut held = Vec::new();
    for connection in listener.incoming() {
        let mut connection = connection.expect("a connection");
        let mut order = String::new();
        // The test process may have died in the middle of its order.
        let Ok(1..) = BufReader::new(&connection).read_line(&mut order) else { continue };
        let done = match order.trim_end().split_once(' ').unwrap_or((order.trim_end(), "")) {
            ("brokers", _) => Ok(cluster.bootstrap_servers()),
            ("down", _) => cluster.broker_down(1).map(|()| "ok".to_owned()),
            ("up", _) => cluster.broker_up(1).map(|()| "ok".to_owned()),
            ("rtt", millis) => {
                let delay = Duration::from_millis(millis.parse().expect("milliseconds"));
                cluster.broker_round_trip_time(1, delay).map(|()| "ok".to_owned())
            }
            ("lose", _) => {
                let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
                cluster.request_errors(RDKafkaApiKey::Produce, &[lost]);
                Ok("ok".to_owned())
            }
            ("hold", _) => {
                held.push(connection);
                continue;
            }
            (other, _) => panic!("no order is called {other:?}"),
        };
        let answer = done.unwrap_or_else(|error| error.to_string());
        let _ = connection.write_all(format!("{answer}\n").as_bytes());
    }
}

/// Declares the broker of a test program's tests, which [`Kafka::start`](crate::Kafka::start) runs in a process of its own.
/// Write it once, in the root of the test program: `testkit::broker!();`
#[macro_export]
macro_rules! broker {
    () => {
        #[test]
        #[ignore = "the process of a broker: testkit::Kafka starts it"]
        fn testkit_broker() {
            $crate::serve_broker();
        }
    };
}
