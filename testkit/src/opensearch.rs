//! OpenSearch as a child process: what `tools/opensearch` fetches and runs, with its data in a temporary folder.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use http::Method;
use parking_lot::Mutex;

use crate::{Http, eventually_every, ports::free_addr, tether::Tether};

/// Longest time for a start: a JVM on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at a node that starts.
const PAUSE: Duration = Duration::from_millis(200);

/// A node of its own; killed and removed when dropped.
pub struct OpenSearch {
    folder: PathBuf,
    addrs: [SocketAddr; 2],
    /// `None` while it is down.
    tether: Mutex<Option<Tether>>,
}

impl OpenSearch {
    /// A node without an index. Call `needs!(OpenSearch)` first.
    ///
    /// # Panics
    /// When it cannot be fetched or does not start.
    pub async fn start() -> Self {
        let fetched = Command::new(tool("fetch")).stdout(Stdio::null()).status();
        assert!(fetched.is_ok_and(|status| status.success()), "OpenSearch cannot be fetched");
        let folder =
            tempfile::Builder::new().prefix("testkit-opensearch-").tempdir().expect("a temp folder").keep();
        let node = Self { folder, addrs: [free_addr(), free_addr()], tether: Mutex::new(None) };
        node.start_again().await;
        node
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addrs[0])
    }

    /// SIGKILL, and waits until it is gone; its data stay.
    pub fn kill(&self) {
        let Some(tether) = self.tether.lock().take() else { return };
        tether.keep_folder(&self.folder);
        tether.kill("KILL");
    }

    /// Starts the node on its old ports with its old data, unless it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&self) {
        if self.tether.lock().is_none() {
            let tether = self.run();
            *self.tether.lock() = Some(tether);
        }
        let http = Http::to(self.addrs[0]);
        eventually_every(PAUSE, PATIENCE, || async {
            let alive = self.tether.lock().as_mut().is_some_and(Tether::alive);
            assert!(alive, "OpenSearch did not start: {}", self.last_words());
            let answer = http.try_send(Method::GET, "/_cluster/health", &[], "").await;
            let up = answer.as_ref().is_ok_and(|answer| answer.status == 200);
            up.then_some(()).ok_or_else(|| format!("{answer:?}\n{}", self.last_words()))
        })
        .await;
    }

    fn run(&self) -> Tether {
        let mut command = vec![tool("run").display().to_string(), self.folder.display().to_string()];
        command.extend(self.addrs.iter().map(|addr| addr.port().to_string()));
        // KILL: nobody reads the data of a node that is no longer needed, and an orderly stop takes seconds.
        Tether::start(&self.folder, "KILL", &command)
    }

    fn last_words(&self) -> String {
        self.tether.lock().as_ref().map(Tether::last_words).unwrap_or_default()
    }
}

impl Drop for OpenSearch {
    fn drop(&mut self) {
        if self.tether.lock().take().is_none() {
            // Killed and not started again: its tether has left the folder to us.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// What the machine needs, and how to get it.
pub(crate) const NEEDS: &str = "OpenSearch's Java 17 to 23 and Maven (Debian: apt-get install openjdk-17-jre-headless maven; \
    macOS: brew install openjdk@21 maven)";

/// Whether the machine has it.
pub(crate) fn can_run() -> bool {
    let output = Command::new(tool("fetch")).arg("--check").output();
    output.is_ok_and(|output| output.status.success() && output.stdout.is_empty())
}

fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/opensearch").join(name)
}
