//! `lab drill verify` on a control room of this test, of which one answer is lost, and which refuses to go on in the middle.

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
    process::{Command, Output},
    thread,
};

use serde_json::{Value, json};

/// Runs of this control room, by drill.
const RUNS: [&str; 2] = ["first-page", "noon"];

/// What is answered to a request; nothing to the first one that begins `noon`, although it begins. `second-try` is refused for
/// good, and every other drill because of an incident.
fn said(asked: &str, body: &str, begun: &mut Vec<String>) -> Option<(u16, String)> {
    let words: Vec<&str> = asked.split(' ').collect();
    let path = words[1].split('?').next().unwrap_or_default();
    let run = |id: usize, phase: &str| {
        let over = phase == "finished";
        let run = json!({
            "id": id, "drill": RUNS[id - 1], "phase": phase, "verdict": over.then_some("passed"),
            "verify": "solution", "started_at": "2026-11-29T12:00:00Z",
            "ended_at": over.then_some("2026-11-29T12:01:00Z"),
            "truth": { "injected_at": "2026-11-29T12:00:20Z", "notices": [], "signals": [], "path": [] },
        });
        run.to_string()
    };
    let of = |path: &str| path.split('/').nth(5).and_then(|id| id.parse::<usize>().ok()).unwrap_or(1);
    match (words[0], path) {
        ("POST", "/api/v1/drills/runs") => {
            let body: Value = serde_json::from_str(body).unwrap();
            let drill = body["drill"].as_str().unwrap().to_owned();
            let again = begun.contains(&drill);
            begun.push(drill.clone());
            match drill.as_str() {
                "first-page" => Some((201, run(1, "finished"))),
                "noon" if again => Some((409, json!({ "detail": "run 2 of ben is under way" }).to_string())),
                "noon" => None,
                "second-try" => {
                    Some((403, json!({ "detail": "only instructors may verify drills" }).to_string()))
                }
                _ => Some((409, json!({ "detail": "somebody works on INC-1" }).to_string())),
            }
        }
        (_, "/api/v1/drills/current") => Some((200, run(2, "baseline"))),
        (_, path) if path.ends_with("/report") => {
            let suite = format!("<testsuite name=\"{}\" tests=\"1\"></testsuite>", RUNS[of(path) - 1]);
            Some((200, format!("<testsuites>{suite}</testsuites>")))
        }
        (_, path) => Some((200, run(of(path), "finished"))),
    }
}

fn answer(mut stream: TcpStream, begun: &mut Vec<String>) {
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
    let Some((status, text)) = said(&asked, &String::from_utf8_lossy(&body), begun) else { return };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nconnection: close\r\n");
    // A client that has left does not end the server.
    let _ = write!(stream, "{head}content-length: {}\r\n\r\n{text}", text.len());
}

/// The address of such a control room.
fn room() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut begun = Vec::new();
        listener.incoming().for_each(|stream| answer(stream.unwrap(), &mut begun));
    });
    url
}

/// Verifies these drills, with a report in `drills.md`.
fn verify(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("--dir")
        .arg(folder)
        .args(["--control-room", &room(), "drill", "verify"])
        .args(arguments)
        .arg("--markdown")
        .arg(folder.join("drills.md"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap()
}

#[test]
fn what_was_proven_before_the_control_room_refused_is_written_and_a_lost_answer_is_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let junit = at("drills.xml").display().to_string();
    let names = ["first-page", "noon", "second-try", "quiet-street", "--junit", &junit];
    let output = verify(folder.path(), &names);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{shown}");
    let junit = fs::read_to_string(junit).unwrap();
    assert!(junit.contains("name=\"first-page\"") && junit.contains("not proven: "), "{junit}");
    let page = fs::read_to_string(at("drills.md")).unwrap();
    assert!(page.contains("| first-page | passed |") && page.contains("| noon | passed |"), "{page}");
    assert!(page.contains("| second-try | refused |"), "{page}");
    assert!(shown.contains("not run: quiet-street"), "{shown}");
}

#[test]
fn what_was_measured_already_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("measured.json"), r#"{ "first-page": { "errors": 2.0 } }"#).unwrap();
    let file = at("measured.json").display().to_string();
    let arguments = ["first-page", "noon", "--measured", &file, "--unmeasured"];
    let output = verify(folder.path(), &arguments);
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(at("drills.md")).unwrap();
    assert!(page.contains("| noon | passed |") && !page.contains("first-page"), "{page}");
    let measured = fs::read_to_string(&file).unwrap();
    assert!(measured.contains("\"first-page\"") && measured.contains("\"noon\""), "{measured}");
    let output = verify(folder.path(), &arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("has times of all these drills"), "{said}");
}

#[test]
fn a_lab_that_begins_no_drill_is_not_asked_for_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let output = verify(folder.path(), &["in-the-hall", "quiet-street", "warm-room", "first-page"]);
    let (shown, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(!output.status.success() && shown.contains("not run: warm-room, first-page"), "{shown}");
    assert!(said.contains("begins no drill any more (somebody works on INC-1)"), "{said}");
}
