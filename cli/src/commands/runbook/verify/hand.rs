//! What a person does to the lab where no fault does it: freezes a process, stops the load, runs commands.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use observe::Peer;
use parking_lot::Mutex;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    time::timeout,
};

use crate::home::Home;

/// How long to wait for what a shell said that has failed.
const SAID: Duration = Duration::from_millis(200);

/// Freezes the process of a part.
pub(super) fn freeze(home: &Home, name: &str) -> Result<()> {
    let state = home.lab()?;
    let process = state.part(name).and_then(|part| part.process);
    process.with_context(|| format!("{name} does not run"))?.signal(Signal::STOP);
    Ok(())
}

/// Lets the process of a part continue. One that was started meanwhile is not frozen.
pub(super) fn thaw(home: &Home, name: &str) -> Result<()> {
    let state = home.lab()?;
    if let Some(process) = state.part(name).and_then(|part| part.process) {
        process.signal(Signal::CONT);
    }
    Ok(())
}

/// The admin port of the load generator.
fn load(home: &Home) -> Result<Peer> {
    let port =
        home.lab()?.port("load-admin").context("this lab has no load: it was started with --no-load")?;
    Ok(Peer::at(format!("http://127.0.0.1:{port}")))
}

/// Requests per second that the load generator sends.
pub(super) async fn rate(home: &Home) -> Result<f64> {
    let answer = load(home)?.get("/rate", &[]).await?;
    answer["rps"].as_f64().context("the load generator does not say its rate")
}

/// Sets them.
pub(super) async fn set_rate(home: &Home, rps: f64) -> Result<()> {
    let rps = rps.to_string();
    load(home)?.call(Method::PUT, "/rate", &[("rps", rps.as_str())]).await?;
    Ok(())
}

/// Runs commands of a page in a shell, in the checkout; `lab` in them is this program, for this lab. What they leave in the
/// background belongs to `group`, and is ended with [`end`].
pub(super) async fn shell(home: &Home, commands: &str, group: &Mutex<Option<u32>>) -> Result<()> {
    let mut command = Command::new("sh");
    // From its standard input: `pkill -f` must not find the shell itself by the words of the page.
    command.arg("-es").arg("--").arg(std::env::current_exe()?).arg(&home.root).arg(home.dir.as_os_str());
    if let Some(token) = &home.token {
        command.env("FAULTS_TOKEN", token);
    }
    command.current_dir(&home.root).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.process_group(0).kill_on_drop(true).spawn().context("cannot run sh")?;
    *group.lock() = child.id();
    let (mut input, mut said) = (child.stdin.take(), child.stderr.take());
    if let Some(input) = &mut input {
        input.write_all(script(home, commands).as_bytes()).await?;
    }
    drop(input);
    let status = child.wait().await?;
    if !status.success() {
        let mut text = String::new();
        if let Some(said) = &mut said {
            // What is in the background may still hold its other end.
            let _ = timeout(SAID, said.read_to_string(&mut text)).await;
        }
        bail!("{}: {status}: {}", commands.trim(), text.trim());
    }
    Ok(())
}

/// The commands, after what they need.
fn script(home: &Home, commands: &str) -> String {
    // The pages write the folder of the lab as it is by default.
    let commands = commands.replace(".lab/", &format!("{}/", home.dir.as_os_str().to_string_lossy()));
    format!(
        "program=$1 root=$2 dir=$3\nlab() {{ \"$program\" --root \"$root\" --dir \"$dir\" \"$@\" </dev/null; }}\n{commands}\n"
    )
}

/// Ends what commands left in the background.
pub(super) fn end(group: &Mutex<Option<u32>>) {
    let leader = group.lock().take();
    let leader = leader.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(leader) = leader {
        // Nothing may be left.
        let _ = kill_process_group(leader, Signal::TERM);
    }
}
