//! The other implementations of S3 that the contract suite runs against, started from `tools/s3-emulators` and
//! `tools/localstack`.

use std::time::Duration;

use testkit::{Process, eventually, free_addr, localstack, s3_emulator};

use crate::client::{Client, keys};

/// Where an implementation differs from S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// It takes any signature, and none.
    Signatures,
    /// It answers 500 when an upload is completed that was aborted.
    LateCompletion,
}

/// A running emulator.
pub(crate) struct Emulator {
    /// A client of it.
    pub(crate) client: Client,
    /// Where it differs.
    pub(crate) gaps: &'static [Gap],
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Emulator {
    /// moto, in memory.
    pub(crate) async fn moto() -> Self {
        let address = free_addr();
        let (program, port) = (s3_emulator("moto_server"), address.port().to_string());
        let process = Process::start(&program, &["-H", "127.0.0.1", "-p", &port]);
        let gaps = &[Gap::Signatures, Gap::LateCompletion];
        Self::ready(Client::to(address), process, tempfile::tempdir().unwrap(), gaps).await
    }

    /// MiniStack, in memory. Without `BIND_HOST` it listens on every address.
    pub(crate) async fn ministack() -> Self {
        let address = free_addr();
        let port = format!("GATEWAY_PORT={}", address.port());
        let process = Process::start("env", &["BIND_HOST=127.0.0.1", &port, &s3_emulator("ministack")]);
        Self::ready(Client::to(address), process, tempfile::tempdir().unwrap(), &[Gap::Signatures]).await
    }

    /// LocalStack with S3 alone, as `lab up --cloud localstack` runs it.
    pub(crate) async fn localstack() -> Self {
        let (address, folder) = (free_addr(), tempfile::tempdir().unwrap());
        let here = folder.path().display();
        let settings = [
            format!("HOME={here}"),
            format!("FILESYSTEM_ROOT={here}"),
            format!("GATEWAY_LISTEN={address}"),
            format!("LOCALSTACK_HOST={address}"),
        ];
        let fixed = ["GATEWAY_SERVER=hypercorn", "OVERRIDE_IN_DOCKER=0", "SERVICES=s3", "DNS_ADDRESS=0"];
        let quiet = ["DISABLE_EVENTS=1", "SKIP_SSL_CERT_DOWNLOAD=1", "LS_LOG=warning"];
        let python = localstack();
        let args = settings.iter().map(String::as_str).chain(fixed).chain(quiet);
        let args: Vec<&str> = args.chain([python.as_str(), "-m", "localstack.runtime.main"]).collect();
        let process = Process::start("env", &args);
        Self::ready(Client::to(address), process, folder, &[Gap::Signatures]).await
    }

    /// SeaweedFS: master, volumes, filer and gateway in one process, each on ports of its own.
    pub(crate) async fn seaweedfs() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_addr();
        let config = folder.path().join("s3.json");
        std::fs::write(&config, identities()).unwrap();
        let mut args: Vec<String> = ["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
            .into_iter()
            .chain(["-volume.max=0", "-master.volumeSizeLimitMB=64", "-master.telemetry=false"])
            .chain(["-s3.port.iceberg=0"])
            .map(str::to_owned)
            .collect();
        args.push(format!("-dir={}", folder.path().display()));
        args.push(format!("-s3.config={}", config.display()));
        args.push(format!("-s3.port={}", address.port()));
        for part in ["master", "volume", "filer"] {
            args.push(format!("-{part}.port={}", free_addr().port()));
        }
        for part in ["master", "volume", "filer", "s3"] {
            args.push(format!("-{part}.port.grpc={}", free_addr().port()));
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let process = Process::start(&s3_emulator("weed"), &args);
        Self::ready(Client::to(address), process, folder, &[]).await
    }

    /// Ready means: it keeps an object.
    async fn ready(
        client: Client,
        process: Process,
        folder: tempfile::TempDir,
        gaps: &'static [Gap],
    ) -> Self {
        eventually(Duration::from_secs(60), || async {
            client.try_send("PUT", "/ready", &[], b"").await;
            match client.try_send("PUT", "/ready/k", &[], b"text").await {
                Some(answer) if answer.status == 200 => Ok(()),
                answer => Err(format!("{answer:?}\n{}", process.output())),
            }
        })
        .await;
        Self { client, gaps, _process: process, _folder: folder }
    }
}

/// Who may do what, as SeaweedFS reads it: the keys of the tests everything.
fn identities() -> String {
    use secrecy::ExposeSecret as _;
    let keys = keys();
    serde_json::json!({"identities": [{
        "name": "lab",
        "credentials": [{"accessKey": keys.access_key, "secretKey": keys.secret_key.expose_secret()}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }]})
    .to_string()
}
