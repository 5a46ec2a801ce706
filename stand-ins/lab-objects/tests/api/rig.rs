//! A running store on free ports over a folder of its own.

use chassis_service::lifecycle::Running;
use clap::Parser;
use lab_objects::{PORT, SERVICE, build, config::ObjectsConfig, faults};
use testkit::Http;

use crate::client::Client;

/// A running store.
pub(crate) struct Rig {
    /// A client of it.
    pub(crate) client: Client,
    /// Its admin port.
    pub(crate) admin: Http,
    running: Running,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// On free ports, with a bucket `box`.
    pub(crate) async fn start(extra: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let args = ["lab-objects", "--s3-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--bucket=box"];
        let keys = ["--secret-key=a-secret-of-tests", "--folder", &path];
        let args = args.into_iter().chain(keys).chain(extra.iter().copied());
        let config = ObjectsConfig::try_parse_from(args).expect("valid flags");
        let chassis = config.common().chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT);
        let app = build(&config, chassis).expect("a folder");
        assert_eq!(app.chassis.faults.unclaimed(), Vec::<&str>::new());
        let running = Running::start(app).await.expect("free ports");
        let client = Client::to(running.port(PORT).expect("the port of the API"));
        Self { client, admin: Http::to(running.admin), running, _folder: folder }
    }

    /// Switches a fault on.
    pub(crate) async fn fault(&self, query: &str) {
        self.admin.put(&format!("/faults/{query}")).await.expect_status(200);
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}
