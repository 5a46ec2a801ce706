//! `lab drill verify` on a control room of this test, which goes away in the middle.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: a panic is how it fails, and the environment of the command is part of it"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
};

use serde_json::json;

/// What is answered to a request; nothing to the second run that is asked for.
fn said(asked: &str, begun: &mut u32) -> Option<(u16, String)> {
    let words: Vec<&str> = asked.split(' ').collect();
    let path = words[1].split('?').next().unwrap_or_default();
    let run = json!({
        "id": 1, "drill": "first-page", "phase": "finished", "verdict": "passed", "verify": "solution",
        "started_at": "2026-11-29T12:00:00Z", "ended_at": "2026-11-29T12:01:00Z",
        "truth": { "injected_at": "2026-11-29T12:00:20Z", "notices": [], "signals": [], "path": [] },
    });
    match (words[0], path) {
        ("POST", "/api/v1/drills/runs") if *begun > 0 => None,
        ("POST", "/api/v1/drills/runs") => {
            *begun += 1;
            Some((201, run.to_string()))
        }
        (_, "/api/v1/drills/runs/1/report") => Some((
            200,
            "<testsuites><testsuite name=\"first-page\" tests=\"1\"></testsuite></testsuites>".to_owned(),
        )),
        _ => Some((200, run.to_string())),
    }
}

fn answer(mut stream: TcpStream, begun: &mut u32) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut asked, mut length) = (String::new(), 0);
    if reader.read_line(&mut asked).unwrap_or_default() == 0 {
        return;
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let Some((status, text)) = said(&asked, begun) else { return };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nconnection: close\r\n");
    // A client that has left does not end the server.
    let _ = write!(stream, "{head}content-length: {}\r\n\r\n{text}", text.len());
}

#[test]
fn what_was_proven_before_the_control_room_went_away_is_written() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut begun = 0;
        listener.incoming().for_each(|stream| answer(stream.unwrap(), &mut begun));
    });
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("--dir")
        .arg(folder.path())
        .args(["--control-room", &url, "drill", "verify", "first-page", "noon", "second-try", "--junit"])
        .arg(at("drills.xml"))
        .arg("--markdown")
        .arg(at("drills.md"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{shown}");
    let junit = fs::read_to_string(at("drills.xml")).unwrap();
    assert!(junit.contains("name=\"first-page\"") && junit.contains("not proven: "), "{junit}");
    let page = fs::read_to_string(at("drills.md")).unwrap();
    assert!(page.contains("| first-page | passed |") && page.contains("| noon | refused |"), "{page}");
    assert!(shown.contains("not run: second-try"), "{shown}");
}
