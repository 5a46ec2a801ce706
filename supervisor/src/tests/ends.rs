//! How a lab ends: in order, at once, or after a crash; nothing is left.

use std::net::TcpListener;

use super::*;
use crate::process::MARK;

#[tokio::test]
async fn a_part_that_ignores_sigterm_is_killed_with_its_children_after_its_grace_period() {
    let stubborn = |home: &Folder| {
        let mut part =
            script(home, "api", "trap '' TERM; touch api; sleep 600 & while :; do sleep 0.02; done");
        part.grace = Duration::from_millis(100);
        vec![part]
    };
    let lab = start(stubborn, quick());
    lab.ready().await;
    lab.end().await.unwrap();
}

#[tokio::test]
async fn a_second_request_to_stop_kills_at_once() {
    let stubborn =
        |home: &Folder| vec![script(home, "api", "trap '' TERM; touch api; while :; do sleep 0.02; done")];
    let lab = start(stubborn, quick());
    lab.ready().await;
    lab.stop.now.cancel();
    // The part's grace period is 12 seconds; much less passes.
    let began = Instant::now();
    lab.end().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn only_leftover_processes_of_a_killed_lab_are_ended() {
    let (home, _folder) = home();
    let marked = |text: &str| {
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", text]).env(MARK, home.as_os_str()).process_group(0).spawn().unwrap()
    };
    // One in the state file, one that only its mark reveals, and an unrelated process whose pid is in the state file.
    let mut known = marked("exec sleep 600");
    let mut unknown = marked("exec sleep 600");
    let mut stranger = tokio::process::Command::new("sleep").arg("600").kill_on_drop(true).spawn().unwrap();
    let board = Board::new(&home, &[steady(&home, "known"), steady(&home, "recycled")], |_| {});
    board.part("known", |part| part.process = process::ProcId::of(known.id().unwrap()));
    let stale = process::ProcId::of(stranger.id().unwrap()).unwrap();
    let stale = process::ProcId { started: stale.started - 1, ..stale };
    board.part("recycled", |part| part.process = Some(stale));
    let reap = async {
        let _ = known.wait().await;
        let _ = unknown.wait().await;
    };
    let (ended, ()) = within("swept", async { tokio::join!(sweep(&home), reap) }).await;
    assert_eq!(ended.unwrap(), 2);
    assert!(stranger.try_wait().unwrap().is_none(), "the unrelated process lives");
    assert!(LabState::load(&home).unwrap().is_none());
    stranger.kill().await.unwrap();
}

#[tokio::test]
async fn stopping_while_parts_are_waiting_starts_none_of_them() {
    let lab = start(
        |home| vec![script(home, "store", "exec sleep 600"), steady(home, "api").after(&["store"])],
        quick(),
    );
    lab.until("started", |state| state.parts[0].process.is_some()).await;
    let order = lab.home.join("order");
    lab.end().await.unwrap();
    assert!(!order.exists());
}

#[tokio::test]
async fn no_port_is_left_after_the_stop() {
    // A part that really listens on a port.
    let port = testkit::free_addr().port();
    let listen = format!(
        "redis-server --port {port} --bind 127.0.0.1 --save '' --appendonly no >/dev/null & touch store; wait"
    );
    let lab = start(|home| vec![script(home, "store", &listen)], quick());
    lab.ready().await;
    until("listening", || TcpListener::bind(("127.0.0.1", port)).is_err()).await;
    lab.end().await.unwrap();
    until("free again", || TcpListener::bind(("127.0.0.1", port)).is_ok()).await;
}
