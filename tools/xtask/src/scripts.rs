//! Finds all shell scripts of the repository by their first line or ending, so that no script stays unchecked; and the playbook of
//! `deploy/ansible`.

use std::{fs, io::Read as _};

use anyhow::{Result, ensure};

use crate::shell::Shell;

const PLAYBOOK: &str = "deploy/ansible/lab.yml";

/// Runs shellcheck on every script, and lets Ansible read its playbook.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    let all = shell.files(&[])?;
    let scripts: Vec<&str> =
        all.iter().map(String::as_str).filter(|name| is_script(name, &head(shell, name))).collect();
    ensure!(!scripts.is_empty(), "no shell script found");
    // Follow sourced libraries, wherever the script that sources them is started.
    let args = [&["--external-sources", "--source-path=SCRIPTDIR"], scripts.as_slice()].concat();
    shell.run("shellcheck", &args)?;
    println!("{} scripts", scripts.len());
    playbook(shell)
}

/// Only where somebody has installed Ansible, in CI too: it is under the GPL, which nothing that the suite installs may be
/// (`testkit/tests/tools.rs`).
fn playbook(shell: &Shell) -> Result<()> {
    if !shell.quietly("ansible-playbook", &["--version"]) {
        println!("SKIPPED: {PLAYBOOK} (ansible-playbook is not on PATH)");
        return Ok(());
    }
    shell.run("ansible-playbook", &["--syntax-check", "--inventory", "localhost,", PLAYBOOK])
}

/// The first bytes of a file.
fn head(shell: &Shell, name: &str) -> Vec<u8> {
    let mut head = Vec::new();
    if let Ok(file) = fs::File::open(shell.root.join(name)) {
        // A file that cannot be read is not a script.
        let _ = file.take(64).read_to_end(&mut head);
    }
    head
}

fn is_script(name: &str, head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(interpreter) = String::from_utf8_lossy(line).strip_prefix("#!").map(str::to_owned) else {
        return name.ends_with(".sh");
    };
    interpreter
        .split_whitespace()
        .filter_map(|word| word.rsplit('/').next())
        .any(|word| ["sh", "bash", "dash", "ksh"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_by_their_first_line_or_ending() {
        for head in ["#!/bin/sh\nset -eu", "#!/usr/bin/env bash\n", "#! /bin/bash -e"] {
            assert!(is_script("run", head.as_bytes()), "{head}");
        }
        assert!(is_script("lib.sh", b"# sourced"));
        assert!(!is_script("run", b"#!/usr/bin/env python3\n"));
        assert!(!is_script("main.rs", b"#![forbid(unsafe_code)]"));
    }
}
