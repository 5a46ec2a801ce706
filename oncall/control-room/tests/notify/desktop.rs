//! A page on the desktop, with a program in the place of notify-send that keeps its arguments.

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::json;
use testkit::{Http, Process, eventually, free_addr};

/// Longest wait for what normally takes a second.
const SOON: Duration = Duration::from_secs(20);
const ROTA: &str = "
people:
  - name: ada
    zone: Europe/Berlin
    contacts: [{kind: desktop}]
schedules:
  - name: first-line
    zone: Europe/Berlin
    layers:
      - name: week
        rotation: {unit: week, start: 2026-01-05T09:00, people: [ada]}
policies:
  - name: everything
    steps:
      - notify_schedule: first-line
";

/// Keeps its arguments in `shown`, each in brackets, once they are all there.
fn notify_send(folder: &Path) {
    let name = folder.display();
    let text =
        format!("#!/bin/sh\nprintf '[%s]\\n' \"$@\" > '{name}/part' && mv '{name}/part' '{name}/shown'\n");
    fs::write(folder.join("text"), text).expect("a file");
    // Copied by a child: a file that this process has written cannot be started while another test forks.
    let copy = ["-c", "mkdir bin && cp text bin/notify-send && chmod 755 bin/notify-send"];
    let copied = Command::new("sh").args(copy).current_dir(folder).status().expect("sh");
    assert!(copied.success());
}

#[tokio::test]
async fn a_page_is_shown_on_the_desktop_with_what_it_is_about_and_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    notify_send(folder);
    let (rota, programs) = (folder.join("oncall.yaml"), folder.join("bin"));
    fs::write(&rota, ROTA).expect("a file");
    let (rota, programs) = (rota.to_str().expect("UTF-8"), programs.to_str().expect("UTF-8"));
    let (public, admin) = (free_addr(), free_addr());
    let (public_text, admin_text) = (public.to_string(), admin.to_string());
    let process = Process::start(
        "sh",
        &[
            "-c",
            "PATH=\"$0:$PATH\" exec \"$@\"",
            programs,
            env!("CARGO_BIN_EXE_control-room"),
            "--public-addr",
            &public_text,
            "--admin-addr",
            &admin_text,
            "--public-url",
            "http://lab.example",
            "--oncall",
            rota,
        ],
    );
    process.ready(admin).await;
    let new = json!({ "title": "Orders fail", "severity": "SEV-2", "services": ["order-api"] });
    Http::to(public).post("/api/v1/incidents", &new).await.expect_status(201);
    let shown = eventually(SOON, || async {
        fs::read_to_string(folder.join("shown")).map_err(|error| format!("{error}: {}", process.output()))
    })
    .await;
    let expected = "[--urgency=critical]\n[--app-name=SRE Lab]\n[--]\n[SEV-2 INC-1: Orders fail]\n\
                    [Affected: order-api. Acknowledge it, or ask for the next level.\n\
                    http://lab.example/incidents/INC-1]\n";
    assert_eq!(shown, expected);
}
