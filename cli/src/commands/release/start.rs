//! `lab release start`: registers the build in the lab's folder, starts the release, and follows it. On Kubernetes there is no build
//! to register: `cluster` takes what is wanted.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use observe::ControlRoom;
use release::fleet::{BUILDS, Build, FOLDER};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;

use super::{
    build::{named, register},
    checkout, print,
};
use crate::{home::Home, terminal::out};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Silence of the control room that ends the watching: it may be restarted meanwhile.
const SILENCE: u32 = 30;

/// Exits with 0 if the version reached everyone, and with 1 if it did not. Ctrl-C ends the watching, not the release; on Kubernetes,
/// where this program drives the release, it stops it, and the old version gets every request back.
#[derive(Debug, Args)]
// `--version` is that of the service.
#[command(disable_version_flag = true)]
pub(super) struct Start {
    /// The service: order-api or user-service, because the edge splits their requests.
    pub(super) service: String,
    /// A name for the new version, such as v2 or 2026.11.29; on Kubernetes the tag of its image.
    #[arg(long, value_name = "V")]
    pub(super) version: String,
    /// The program of the new version; by default the one that runs.
    #[arg(long, value_name = "PATH")]
    pub(super) binary: Option<PathBuf>,
    /// Build the new version with cargo: from the folder of a checkout as it is, or from a revision of this one, such as main.
    #[arg(long, value_name = "PATH|REV", conflicts_with = "binary")]
    pub(super) checkout: Option<String>,
    /// A flag of its command line, such as cache-ttl=5s; may be repeated. `order-api --help` lists them.
    #[arg(long = "flag", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) flags: Vec<(String, String)>,
    /// A variable of its environment, such as USER_SERVICE_TIMEOUT=1ms; may be repeated.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) env: Vec<(String, String)>,
    /// What the release is for, in a sentence.
    #[arg(long, value_name = "TEXT")]
    pub(super) why: String,
    /// Percent of the requests, step by step: 1 to 50, rising, and 100 at the end.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [5, 25, 50, 100])]
    pub(super) steps: Vec<u32>,
    /// The rise of the share of failures that a step has to be able to see; a smaller one takes more requests.
    #[arg(long, value_name = "SHARE", default_value_t = 0.03)]
    pub(super) rise: f64,
    /// Least time of a step.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = humantime::parse_duration)]
    pub(super) hold: Duration,
    /// Longest time of a step; then a person decides.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    pub(super) patience: Duration,
    /// When the change was written, such as 2026-11-29T12:00:00Z: the lead time starts then. By default when the --binary was
    /// built or the commit of the --checkout was written; without either, now.
    #[arg(long, value_name = "TIME")]
    pub(super) written: Option<DateTime<Utc>>,
    /// Why it may begin although an error budget is spent or not known.
    #[arg(long = "override", value_name = "WHY")]
    pub(super) over: Option<String>,
    /// Only a person decides: the judge says what it sees, and neither passes a step nor takes the version back.
    #[arg(long)]
    pub(super) by_hand: bool,
    /// Return at once; `lab release status` shows it.
    #[arg(long, short)]
    pub(super) detach: bool,
    /// Print the release as JSON when it has ended (with --detach: when it has started).
    #[arg(long)]
    pub(super) json: bool,
}

impl Start {
    pub(super) async fn run(self, home: &Home, room: &ControlRoom) -> Result<ExitCode> {
        // Without a lab nothing is registered.
        home.lab()?;
        self.register(home)?;
        let mut body = Map::new();
        body.insert("service".to_owned(), json!(self.service));
        body.insert("version".to_owned(), json!(self.version));
        body.insert("why".to_owned(), json!(self.why));
        body.insert("steps".to_owned(), json!(self.steps));
        body.insert("rise".to_owned(), json!(self.rise));
        body.insert("hold".to_owned(), json!(humantime::format_duration(self.hold).to_string()));
        body.insert("patience".to_owned(), json!(humantime::format_duration(self.patience).to_string()));
        body.extend(self.over.as_ref().map(|why| ("override".to_owned(), json!(why))));
        body.insert("by_hand".to_owned(), json!(self.by_hand));
        let release = room.post("/api/v1/releases", &Value::Object(body)).await?;
        let id = print::word(&release["id"]).to_owned();
        if self.detach {
            self.print(&release)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !self.json {
            let (service, old, new) = (&self.service, print::word(&release["old"]), &self.version);
            out!("{id}: {service} {old} -> {new}; to stop it: lab release abort {id} WHY");
        }
        let release = self.follow(room, &id).await?;
        self.print(&release)?;
        Ok(if print::word(&release["state"]) == "released" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn print(&self, release: &Value) -> Result<()> {
        if self.json {
            return crate::terminal::json(release);
        }
        print::whole(release);
        Ok(())
    }

    /// Writes how the version is started to the lab's folder.
    fn register(&self, home: &Home) -> Result<()> {
        // Before its program is copied.
        named(&self.service, &self.version)?;
        let made = match (&self.binary, &self.checkout) {
            (Some(path), _) => Some(program(path)?),
            (None, Some(source)) => Some(checkout::build(&home.root, &self.service, source)?),
            (None, None) => None,
        };
        let (binary, written) = match made {
            Some((path, written)) => {
                let builds = home.dir.join(FOLDER).join(BUILDS);
                let name = format!("{}@{}", self.service, self.version);
                (Some(keep(&builds, &name, &path)?), written)
            }
            None => (None, Utc::now()),
        };
        let flag =
            |(name, value): &(String, String)| (name.trim_start_matches("--").to_owned(), value.clone());
        let flags = self.flags.iter().map(flag);
        let env: BTreeMap<String, String> = self.env.iter().cloned().collect();
        let build = Build { binary, flags: flags.collect(), env };
        register(home, (&self.service, &self.version), build, self.written.unwrap_or(written))
    }

    /// Prints what changes until the release has ended; the release as it is then.
    async fn follow(&self, room: &ControlRoom, id: &str) -> Result<Value> {
        let (mut told, mut silence) = (String::new(), 0);
        loop {
            match room.get(&format!("/api/v1/releases/{id}"), &[]).await {
                Ok(release) => {
                    silence = 0;
                    let line = print::progress(&release);
                    if line != told && !self.json {
                        out!("{}  {line}", Utc::now().format("%H:%M:%S"));
                    }
                    told = line;
                    if !release["ended_at"].is_null() {
                        return Ok(release);
                    }
                }
                Err(error) => {
                    silence += 1;
                    if silence >= SILENCE {
                        let next = format!("{id} may still be under way: lab release status {id}");
                        return Err(error).context(next);
                    }
                }
            }
            sleep(EVERY).await;
        }
    }
}

/// The absolute path of a program, and when it was built.
fn program(path: &Path) -> Result<(PathBuf, DateTime<Utc>)> {
    let found = path.canonicalize().with_context(|| format!("--binary: cannot find {}", path.display()))?;
    let about = fs::metadata(&found).with_context(|| format!("--binary: cannot read {}", found.display()))?;
    if !about.is_file() {
        bail!("--binary: expected a program, and {} is not a file", found.display());
    }
    if about.permissions().mode() & 0o111 == 0 {
        bail!("--binary: {} is not executable: chmod +x makes it so", found.display());
    }
    Ok((found, about.modified()?.into()))
}

/// Copies a program to the lab's folder, and returns the path of the copy. Its name has a digest: if the program is built again
/// during the release, what reaches everyone is still what was judged.
fn keep(folder: &Path, name: &str, program: &Path) -> Result<String> {
    let bytes = fs::read(program).with_context(|| format!("--binary: cannot read {}", program.display()))?;
    let digest = Sha256::digest(&bytes);
    let name = digest.iter().take(8).fold(format!("{name}-"), |name, byte| format!("{name}{byte:02x}"));
    let place = folder.join(name);
    let draft = place.with_added_extension("new");
    let copied = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&draft, &bytes))
        .and_then(|()| fs::set_permissions(&draft, Permissions::from_mode(0o700)))
        .and_then(|()| fs::rename(&draft, &place))
        .and_then(|()| place.canonicalize());
    let place = copied.with_context(|| format!("cannot copy the program to {}", place.display()))?;
    let text = place.to_str().with_context(|| format!("{} is not UTF-8", place.display()))?;
    Ok(text.to_owned())
}

/// Reads `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as USER_SERVICE_TIMEOUT=1ms".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_built_again_does_not_change_what_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let (built, builds) = (folder.path().join("order-api"), folder.path().join("builds"));
        let mut kept = Vec::new();
        for text in ["one", "other"] {
            fs::write(&built, text).unwrap();
            let wrong = program(&built).map(drop);
            assert_eq!(wrong.is_ok(), text == "other", "only what is executable is a program: {wrong:?}");
            fs::set_permissions(&built, Permissions::from_mode(0o755)).unwrap();
            let (path, _) = program(&built).unwrap();
            kept.push(keep(&builds, "order-api@v2", &path).unwrap());
        }
        let texts: Vec<String> = kept.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        assert_eq!(texts, ["one", "other"]);
        assert!(program(Path::new(&kept[0])).is_ok(), "the copy can be started");
    }
}
