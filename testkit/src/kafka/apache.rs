//! Apache Kafka as a child process: what `tools/kafka` fetches and runs, with its log in a temporary folder.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
};

use super::PARTITIONS;
use crate::{ports::free_addr, tether::Tether};

/// Longest time for a start: a JVM on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(90);

/// A broker; killed and removed when dropped.
pub(super) struct Apache {
    folder: PathBuf,
    brokers: String,
    ports: [u16; 2],
    /// `None` while it is down.
    tether: Mutex<Option<Tether>>,
}

impl Apache {
    /// A broker with these topics.
    pub(super) fn start(topics: &[&str]) -> Self {
        let fetched = Command::new(tool("fetch")).stdout(Stdio::null()).status();
        assert!(fetched.is_ok_and(|status| status.success()), "Apache Kafka cannot be fetched");
        let broker = Self::launch();
        assert!(broker.answers(), "Apache Kafka did not start: {}", broker.last_words());
        broker.create(topics);
        broker
    }

    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(Tether::pid)
    }

    /// SIGKILL, and waits until it is gone; its log stays.
    pub(super) fn kill(&self) {
        let Some(tether) = self.lock().take() else { return };
        tether.keep_folder(&self.folder);
        tether.kill("KILL");
    }

    /// Starts the same broker on the same ports with its old log.
    pub(super) fn start_again(&self) {
        let mut tether = self.lock();
        if tether.is_none() {
            *tether = Some(run(&self.folder, self.ports));
            drop(tether);
            assert!(self.answers(), "Apache Kafka did not come back: {}", self.last_words());
        }
    }

    fn launch() -> Self {
        let folder =
            tempfile::Builder::new().prefix("testkit-kafka-").tempdir().expect("a temp folder").keep();
        let ports = [free_addr().port(), free_addr().port()];
        let tether = Mutex::new(Some(run(&folder, ports)));
        Self { folder, brokers: format!("127.0.0.1:{}", ports[0]), ports, tether }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tether>> {
        self.tether.lock()
    }

    fn last_words(&self) -> String {
        self.lock().as_ref().map(Tether::last_words).unwrap_or_default()
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("reconnect.backoff.max.ms", "200");
        config.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
        config.create().expect("an admin client")
    }

    /// Whether the broker answers within the deadline.
    fn answers(&self) -> bool {
        let (admin, start) = (self.admin(), Instant::now());
        while start.elapsed() < PATIENCE {
            if !self.lock().as_mut().is_some_and(Tether::alive) {
                return false;
            }
            let metadata = admin.inner().fetch_metadata(None, Duration::from_millis(500));
            if metadata.is_ok_and(|metadata| !metadata.brokers().is_empty()) {
                return true;
            }
        }
        false
    }

    fn create(&self, topics: &[&str]) {
        let new: Vec<_> =
            topics.iter().map(|topic| NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1))).collect();
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let admin = self.admin();
        let create = || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(admin.create_topics(&new, &options))
        };
        // In its own thread: the caller may be a task of another runtime.
        let created = std::thread::scope(|scope| scope.spawn(create).join().expect("no panic"));
        for topic in created.expect("the broker creates topics") {
            topic.expect("a topic");
        }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        if self.lock().take().is_none() {
            // Killed and not started again: its tether has left the folder to us.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// What the machine needs, and how to get it.
pub(crate) const NEEDS: &str = "Apache Kafka's Java 17 and Maven (Debian: apt-get install openjdk-17-jre-headless maven; \
    macOS: brew install maven)";

/// Whether the machine has it.
pub(crate) fn can_run() -> bool {
    let output = Command::new(tool("fetch")).arg("--check").output();
    output.is_ok_and(|output| output.status.success() && output.stdout.is_empty())
}

fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/kafka").join(name)
}

fn run(folder: &Path, [port, controller]: [u16; 2]) -> Tether {
    let program = tool("run").display().to_string();
    let command = [program, folder.display().to_string(), port.to_string(), controller.to_string()];
    // KILL: nobody reads the log of a broker that is no longer needed, and an orderly stop takes seconds.
    Tether::start(folder, "KILL", &[&command[..], &[PARTITIONS.to_string()]].concat())
}
