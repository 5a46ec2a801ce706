//! lab-objects, if you ask for it: an S3 on the loopback interface, with its objects in the lab's folder and keys of its own.

use anyhow::Result;
use secrecy::{ExposeSecret as _, SecretString};
use supervisor::{Part, part::Line, probe::Probe};

use super::{environment, programs, table::Choices};
use crate::{backup::s3::Settings, home::Home, secrets::Secrets};

/// Name of the part, of its program and of the port of its S3 API.
pub(crate) const OBJECTS: &str = "lab-objects";

/// Port of its metrics and faults.
const ADMIN: &str = "lab-objects-admin";
/// The access key that requests are signed with.
const ACCESS_KEY: &str = "lab";
/// The secret of the access key, in the lab's secrets.
const SECRET: &str = "objects";
/// The region that requests are signed for.
const REGION: &str = "us-east-1";
/// Buckets that exist from the start: for `lab backup`, and for the state of Terraform.
const BUCKETS: &str = "backups,terraform-state";

/// The part.
///
/// # Errors
/// When it was not built, or its secret can be neither read nor created.
pub(crate) fn part(home: &Home, choices: &Choices) -> Result<Part> {
    let (port, admin) = (choices.ports.get(OBJECTS), choices.ports.get(ADMIN));
    let program = programs::ours(OBJECTS)?;
    let settings = environment::settings(&program)?;
    let mut line = environment::frugal(Line::new(program))
        .keep(settings)
        .env("LOG_FORMAT", "json")
        .env("FAULTS_REVEAL", choices.reveal.to_string())
        .env("S3_ADDR", format!("127.0.0.1:{port}"))
        .env("ADMIN_ADDR", format!("127.0.0.1:{admin}"))
        .env("OBJECTS_DIR", home.dir.join("objects").to_string_lossy())
        .env("OBJECTS_BUCKETS", BUCKETS)
        .env("S3_REGION", REGION)
        .env("S3_ACCESS_KEY", ACCESS_KEY)
        .env("S3_SECRET_KEY", Secrets::of(home).make(SECRET)?.expose_secret());
    if let Some(token) = &choices.token {
        line = line.env("FAULTS_TOKEN", token.clone());
    }
    let probe = Probe::Http(format!("http://127.0.0.1:{admin}/readyz"));
    let mut part = Part::new(OBJECTS, line, probe).port(OBJECTS, port).port(ADMIN, admin);
    // It has faults, and is broken and fixed as the services are.
    part.admin = Some(format!("http://127.0.0.1:{admin}"));
    Ok(part)
}

/// How a lab's own object store is reached, at `port`: `None` if its secret cannot be read.
pub(crate) fn reached(home: &Home, port: u16) -> Option<Settings> {
    let secret: SecretString = Secrets::of(home).read(SECRET).ok()?;
    Some(Settings {
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        id: Some(ACCESS_KEY.to_owned()),
        secret: Some(secret),
        region: Some(REGION.to_owned()),
    })
}
