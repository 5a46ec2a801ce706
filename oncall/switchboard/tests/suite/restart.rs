//! Restarts of parts that the real supervisor keeps up: scripts that note when they start and stop.

use std::{fs, path::Path, time::Duration};

use serde_json::json;
use supervisor::{
    Board, Folder, Part, Policy, Stop,
    part::Line,
    probe::Probe,
    state::{LabState, Phase},
};
use switchboard::{Action, Lab, Tools};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::support::{action, nowhere};

/// Longest wait for what takes moments.
const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Rig {
    folder: Folder,
    board: Board,
    stop: Stop,
    running: JoinHandle<supervisor::Result<()>>,
    pub(crate) tools: Tools,
    _place: TempDir,
}

/// An instance of order-api: notes its starts and its orderly ends, and stops on SIGTERM. It is ready while
/// its file exists.
pub(crate) fn instance(folder: &Folder, name: &str) -> Part {
    let script = format!(
        "trap 'rm {name}; echo {name} down >> order; exit' TERM; echo {name} up >> order; touch {name}; \
         while :; do sleep 0.02; done"
    );
    let probe = Probe::File(folder.join(name));
    let mut part = Part::new(name, Line::new("sh").args(["-c", &script]), probe);
    part.instance_of = (name != "order-api").then(|| "order-api".to_owned());
    part.admin = Some("http://127.0.0.1:1".to_owned());
    part
}

impl Rig {
    pub(crate) async fn start(parts: impl FnOnce(&Folder) -> Vec<Part>) -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path());
        folder.create().unwrap();
        // A crash would make a part wait for longer than this test.
        let policy =
            Policy { first: Duration::from_secs(600), cap: Duration::from_secs(600), ..Policy::default() };
        let parts = parts(&folder);
        let (board, stop) = (Board::new(&folder, &parts, |_| {}), Stop::default());
        let running = {
            let (folder, board, stop) = (folder.clone(), board.clone(), stop.clone());
            tokio::spawn(async move { supervisor::run(&folder, parts, &board, policy, &stop).await })
        };
        let lab = Lab { root: place.path().into(), dir: folder.to_path_buf(), program: "lab".into() };
        let tools = Tools { lab: Some(lab), ..Tools::default() };
        let rig = Self { folder, board, stop, running, tools, _place: place };
        let mut states = rig.board.watch();
        let ready = states.wait_for(|state| state.phase == Phase::Ready);
        tokio::time::timeout(SOON, ready).await.expect("ready in time").expect("a board");
        rig
    }

    fn state(&self) -> LabState {
        LabState::load(&self.folder).unwrap().unwrap()
    }

    /// Pids and how often each part has crashed.
    fn parts(&self) -> Vec<(u32, u32)> {
        let parts = self.state().parts.into_iter();
        parts.map(|part| (part.process.map_or(0, |process| process.pid), part.restarts)).collect()
    }

    async fn mark(&self, act: &Action) -> Option<String> {
        act.mark(&nowhere(), &self.tools, None).await.unwrap()
    }

    pub(crate) async fn end(self) {
        self.stop.gently.cancel();
        tokio::time::timeout(SOON, self.running).await.expect("stopped in time").unwrap().unwrap();
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn restart(target: &str) -> Action {
    action(json!({ "action": "restart", "target": target }))
}

#[tokio::test]
async fn replicas_restart_one_after_the_other_and_nothing_looks_like_a_crash() {
    let rig = Rig::start(|folder| vec![instance(folder, "order-api"), instance(folder, "order-api-2")]).await;
    let (before, act) = (rig.parts(), restart("order-api"));
    let mark = rig.mark(&act).await;
    let would = act.describe(&nowhere(), &rig.tools, None).await.unwrap();
    let pids: Vec<bool> = would
        .iter()
        .zip(&before)
        .map(|(outcome, (pid, _))| outcome.ok && outcome.text.starts_with(&format!("pid {pid}, up for ")))
        .collect();
    assert_eq!(pids, [true, true], "{would:?}");
    assert_eq!(rig.parts(), before, "a dry run stops nothing");
    assert_eq!(rig.mark(&act).await, mark);

    let starts = lines(&rig.folder.join("order"));
    let outcomes = act.run(&nowhere(), &rig.tools, None).await.unwrap();
    let ready = outcomes.iter().all(|outcome| outcome.ok && outcome.text.contains(" is ready after "));
    assert!(ready, "{outcomes:?}");
    let order = lines(&rig.folder.join("order")).split_off(starts.len());
    assert_eq!(order, ["order-api down", "order-api up", "order-api-2 down", "order-api-2 up"]);
    let after = rig.parts();
    let replaced = after.iter().zip(&before).all(|(now, then)| now.0 != then.0 && now.1 == 0);
    assert!(replaced, "{before:?} {after:?}");
    assert_ne!(rig.mark(&act).await, mark);
    rig.end().await;
}

#[tokio::test]
async fn one_replica_can_be_restarted_alone_and_strangers_are_refused() {
    let rig = Rig::start(|folder| vec![instance(folder, "order-api"), instance(folder, "order-api-2")]).await;
    let before = rig.parts();
    restart("order-api-2").run(&nowhere(), &rig.tools, None).await.unwrap();
    let after = rig.parts();
    assert_eq!((after[0], after[1].0 != before[1].0), (before[0], true));
    let refused = restart("postgres").run(&nowhere(), &rig.tools, None).await.unwrap_err().to_string();
    assert!(refused.contains("there are: order-api, order-api-2"), "{refused}");
    rig.end().await;
}

#[tokio::test]
async fn what_was_left_behind_is_removed_from_the_data_folder() {
    let rig = Rig::start(|folder| vec![instance(folder, "order-api"), instance(folder, "order-api-2")]).await;
    let data = rig.folder.join("data/order-api-2");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("spool-1.tmp"), "left behind").unwrap();
    fs::write(data.join("orders.db"), "its own").unwrap();
    let act = action(json!({ "action": "remove_files", "target": "order-api" }));
    let outcomes = act.run(&nowhere(), &rig.tools, None).await.unwrap();
    let texts: Vec<String> = outcomes.into_iter().map(|outcome| outcome.text).collect();
    assert_eq!(
        texts,
        [
            "no temporary file is in its data folder: nothing to remove",
            "removed 1 file of 1 KiB: spool-1.tmp"
        ]
    );
    let left: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["orders.db"]);
    rig.end().await;
}
