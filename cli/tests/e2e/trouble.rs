//! A lab in trouble can be told from a healthy one: an unreadable state, another time zone, a full disk.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::lab::{BACK, Lab, eventually, text};

#[tokio::test]
async fn a_lab_whose_state_cannot_be_read_is_stopped_anyway() {
    let Some(lab) = Lab::up(&["--no-load"]).await else { return };
    let ports = lab.ports();
    let supervisor = lab.status()["supervisor"].as_u64().expect("a supervisor");
    fs::write(lab.dir().join("state.json"), "{ not a state").expect("the file is ours");
    let output = lab.run(&["down"]);
    let alive =
        fs::read_to_string(format!("/proc/{supervisor}/cmdline")).is_ok_and(|line| line.contains("lab"));
    assert!(!alive, "`lab down` said `{}` and the supervisor lives", text(&output.stderr).trim());
    assert!(output.status.success(), "{}", text(&output.stderr));
    lab.assert_gone(&ports);
}

#[tokio::test]
async fn log_times_are_right_in_every_time_zone_of_writer_and_reader() {
    let zone = vec![("TZ", "America/New_York".to_owned())];
    let Some(lab) = Lab::up_with(&["--no-load"], zone).await else { return };
    let output = lab.command(&["logs", "--json"]).env("TZ", "Asia/Tokyo").output().expect("lab runs");
    let mut parts = std::collections::BTreeSet::new();
    for line in text(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let time: DateTime<Utc> = line["time"].as_str().and_then(|time| time.parse().ok()).expect("a time");
        // Lines before the first one with a time are dated 1970.
        if time.timestamp() > 0 {
            let ago = (Utc::now() - time).num_seconds();
            assert!((-5..600).contains(&ago), "{ago} s ago: {line}");
            parts.insert(line["part"].as_str().unwrap_or_default().to_owned());
        }
    }
    for part in ["redis", "postgres", "order-api"] {
        assert!(parts.contains(part), "{parts:?}");
    }
}

/// A small separate file system; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Option<Self> {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=700m,mode=755", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_path_buf()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_shown_by_status_and_by_an_alert() {
    let place =
        tempfile::Builder::new().prefix("disk-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let Some(disk) = Disk::mount(place.path()) else {
        eprintln!("SKIPPED: a full disk (this user may not mount one)");
        return;
    };
    {
        let Some(lab) = Lab::up_in(&disk.0, 0o755, &["--rate", "5"], Vec::new()).await else { return };
        let status = lab.run(&["status"]);
        assert!(
            status.status.success() && !text(&status.stdout).contains("disk"),
            "{}",
            text(&status.stdout)
        );
        let ballast = disk.0.join("ballast");
        let free =
            || rustix::fs::statvfs(&disk.0).map(|stat| stat.f_bavail * stat.f_frsize).expect("statvfs");
        // Leave some space: Prometheus has to write the samples that the alert needs.
        let fill = |leave: u64| {
            let size = fs::metadata(&ballast).map_or(0, |meta| meta.len()) + free().saturating_sub(leave);
            let size = size.to_string();
            let made =
                Command::new("fallocate").args(["-l", &size]).arg(&ballast).status().expect("fallocate");
            assert!(made.success());
        };
        let before = free();
        // A service fills it, and leaves what the others need.
        lab.ok(&["break", "order-worker", "disk-fill", "size=1GiB", "step=2MiB", "ttl=5m"]);
        for alert in ["DiskFilling", "DiskAlmostFull"] {
            eventually(BACK, || async {
                let alerts = lab.alerts();
                let fires = alerts.contains(&(alert.to_owned(), "firing".to_owned()));
                if fires { Ok(()) } else { Err(format!("{alert}: {alerts:?}")) }
            })
            .await;
        }
        assert!(free() > 100 << 20, "{} bytes are left, less than the fault keeps", free());
        lab.ok(&["fix"]);
        eventually(BACK, || async {
            let left = fs::read_dir(lab.dir().join("data/order-worker")).expect("its folder").count();
            // The space comes back when the last descriptor is closed; the rest of the lab has written meanwhile.
            let back = left == 0 && free() > before - (64 << 20);
            if back {
                Ok(())
            } else {
                Err(format!("{left} files are left, {} of {before} bytes free", free()))
            }
        })
        .await;
        fill(4 << 20);
        let status = lab.run(&["status"]);
        let shown = text(&status.stdout);
        assert!(shown.contains("the disk is full"), "{shown}");
        assert!(!status.status.success(), "a script sees it too");
        fs::remove_file(&ballast).expect("the ballast is ours");
        eventually(Duration::from_secs(120), || async {
            let status = lab.run(&["status"]);
            if status.status.success() { Ok(()) } else { Err(text(&status.stdout)) }
        })
        .await;
    }
    drop(disk);
}
