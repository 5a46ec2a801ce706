//! The program itself: how it fails on bad configuration, what it logs, how it ends.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn pager() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab-pager"));
    command.args(["--admin-addr", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn bad_configuration_ends_it_with_64_and_names_the_variable() {
    let output = pager().env("PAGER_KEEP", "0").output().expect("it runs");
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    assert!(said(&output).starts_with("PAGER_KEEP (--keep <N>) cannot be \"0\""), "{}", said(&output));
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let output =
        Command::new(env!("CARGO_BIN_EXE_lab-pager")).env("ADMIN_ADDR", &address).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        said(&output).starts_with(&format!("error: ADMIN_ADDR: cannot listen on {address}")),
        "{}",
        said(&output)
    );
}

#[test]
fn its_log_has_the_shape_of_every_program_and_sigterm_ends_it() {
    let mut child = pager().spawn().expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut line = || -> Value {
        let line = lines.next().expect("a line").expect("UTF-8");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
    };
    let started = line();
    for (field, expected) in [("service", "lab-pager"), ("level", "INFO"), ("message", "started")] {
        assert_eq!(started[field], expected, "{started}");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    assert_eq!(line()["reason"], "SIGTERM");
    assert_eq!(line()["message"], "stopped");
    assert!(child.wait().expect("a child").success());
}
