//! The test programs of the workspace: one build for all that the suite runs, and where each of them lies.
//!
//! One build, because each choice of packages (`-p order-api`) or targets (`--bins`) unifies the features of the dependencies
//! again, and cargo then compiles most of them once more.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::shell::Shell;

/// The programs that `./lab` starts, and all tests.
pub(crate) const EVERYTHING: &[&str] = &["build", "--locked", "--workspace", "--all-targets"];
/// Only tests that are in the crates themselves, which need no program and no server.
pub(crate) const UNIT_TESTS: &[&str] = &["test", "--no-run", "--locked", "--workspace", "--lib", "--bins"];

/// A test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// As cargo chooses it: `-p order-api --test api`.
    pub(crate) target: String,
    /// The executable.
    pub(crate) path: PathBuf,
    /// The folder of its package, where cargo runs it.
    pub(crate) folder: PathBuf,
}

/// Builds; the test programs that came of it.
pub(crate) fn build(shell: &Shell, what: &[&str]) -> Result<Vec<Program>> {
    let mut command = shell.command("cargo", what);
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot run cargo")?;
    let stdout = child.stdout.take().context("no pipe")?;
    let mut programs = Vec::new();
    for line in BufReader::new(stdout).lines() {
        programs.extend(program(&line?));
    }
    let status = child.wait()?;
    ensure!(status.success(), "cargo {}: {status}", what.join(" "));
    Ok(programs)
}

/// The test program that one of cargo's messages is about, if any.
fn program(message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    let path = PathBuf::from(message["executable"].as_str()?);
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let package = package(message["package_id"].as_str()?)?;
    let name = message["target"]["name"].as_str()?;
    let target = match message["target"]["kind"][0].as_str()? {
        "bin" => format!("--bin {name}"),
        "test" => format!("--test {name}"),
        "bench" | "example" => return None,
        _ => "--lib".to_owned(),
    };
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    Some(Program { target: format!("-p {package} {target}"), path, folder })
}

/// `path+file:///checkout/cli#lab-cli@0.1.0`, and `path+file:///checkout/load#0.1.0` where the folder has the package's name.
fn package(id: &str) -> Option<&str> {
    let (place, version) = id.split_once('#')?;
    version.split_once('@').map(|(name, _)| name).or_else(|| place.rsplit('/').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_program_is_named_as_cargo_chooses_it() {
        let message = |id: &str, kind: &str, test: bool| {
            let path = r#""executable":"/t/deps/api-1","manifest_path":"/w/services/order-api/Cargo.toml""#;
            let target =
                format!(r#""target":{{"kind":["{kind}"],"name":"api"}},"profile":{{"test":{test}}}"#);
            format!(r#"{{"reason":"compiler-artifact","package_id":"{id}",{target},{path}}}"#)
        };
        let id = "path+file:///w/services/order-api#0.1.0";
        let found = program(&message(id, "test", true)).unwrap();
        assert_eq!(found.target, "-p order-api --test api");
        assert_eq!((found.path, found.folder), ("/t/deps/api-1".into(), "/w/services/order-api".into()));
        let target = |id: &str, kind: &str| program(&message(id, kind, true)).map(|found| found.target);
        assert_eq!(target("path+file:///w/x#shop@0.1.0", "lib").as_deref(), Some("-p shop --lib"));
        assert_eq!(target(id, "bin").as_deref(), Some("-p order-api --bin api"));
        assert_eq!(target(id, "bench"), None);
        assert_eq!(program(&message(id, "bin", false)), None, "a program, and no test");
        assert_eq!(program(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
