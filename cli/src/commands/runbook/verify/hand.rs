//! What a person does to the lab where no fault does it: freezes a process, stops the load, runs a command.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use observe::Peer;
use reqwest::Method;
use rustix::process::Signal;
use tokio::process::Command;

use crate::home::Home;

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

/// Runs `lab` with these words, in the checkout.
pub(super) async fn lab(home: &Home, words: &[String]) -> Result<()> {
    let said = words.join(" ");
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--root").arg(&home.root).arg("--dir").arg(home.dir.as_os_str()).args(words);
    if let Some(token) = &home.token {
        command.env("FAULTS_TOKEN", token);
    }
    command.current_dir(&home.root).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output =
        command.kill_on_drop(true).output().await.with_context(|| format!("cannot run lab {said}"))?;
    if !output.status.success() {
        bail!("lab {said}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
