//! The control room's file, for backups.

use std::{fs, path::Path};

use http::Method;

use crate::rig::Rig;

const INSTRUCTOR: [(&str, &str); 1] = [("x-role", "instructor")];

async fn with_file(file: &Path) -> Rig {
    Rig::start(&["--file", file.to_str().expect("UTF-8")]).await
}

async fn download(rig: &Rig) -> Vec<u8> {
    let address = rig.running.public.expect("a public port");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client.get(format!("http://{address}/api/v1/backup")).header("x-role", "instructor");
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers()["content-type"], "application/vnd.sqlite3");
    response.bytes().await.expect("a file").to_vec()
}

#[tokio::test]
async fn a_copy_taken_while_it_runs_is_a_control_room_with_the_same_incidents() {
    let folder = tempfile::tempdir().unwrap();
    let rig = with_file(&folder.path().join("room.db")).await;
    rig.open("Orders fail").await;
    rig.http.get("/api/v1/backup").await.expect_problem(403, "forbidden");
    let copy = download(&rig).await;
    rig.open("After the copy").await;
    let mut names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.all(|name| !name.to_string_lossy().starts_with("copy-")));
    let again = folder.path().join("again.db");
    fs::write(&again, copy).unwrap();
    let restored = with_file(&again).await.get("/api/v1/incidents").await.to_string();
    assert!(restored.contains("Orders fail") && !restored.contains("After the copy"), "{restored}");
}

#[tokio::test]
async fn without_a_file_there_is_nothing_to_copy() {
    let rig = Rig::start(&[]).await;
    let answer = rig.http.send(Method::GET, "/api/v1/backup", &INSTRUCTOR, String::new()).await;
    let problem = answer.expect_problem(409, "not-now");
    assert!(problem.to_string().contains("ROOM_FILE"), "{problem}");
}
