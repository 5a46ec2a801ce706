//! Answers from `ps` and `lsof`, for systems without `/proc`.

use std::{
    collections::hash_map::DefaultHasher,
    ffi::OsStr,
    hash::{Hash, Hasher},
    process::Command,
};

use super::Memory;

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).env("LC_ALL", "C").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A number derived from the start time that `ps` prints; `None` if there is no such process or it is a zombie.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let line = output("ps", &["-o", "stat=,lstart=", "-p", &pid.to_string()])?;
    let line = line.trim();
    if line.is_empty() || line.starts_with('Z') {
        return None;
    }
    let (_, started) = line.split_once(' ')?;
    let mut hasher = DefaultHasher::new();
    started.trim().hash(&mut hasher);
    Some(hasher.finish())
}

/// Resident memory of the process and its descendants.
pub(crate) fn memory(pid: u32) -> Memory {
    let table = output("ps", &["-A", "-o", "pid=,ppid=,rss="]).unwrap_or_default();
    let rows: Vec<[u64; 3]> = table
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().filter_map(|word| word.parse().ok());
            Some([numbers.next()?, numbers.next()?, numbers.next()?])
        })
        .collect();
    let mut sum = Memory::default();
    let mut open = vec![u64::from(pid)];
    while let Some(parent) = open.pop() {
        for [pid, ppid, kib] in &rows {
            if *pid == parent {
                sum.rss += kib * 1024;
            } else if *ppid == parent {
                open.push(*pid);
            }
        }
    }
    sum
}

/// Pid and command of the process that listens on `port`.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux asks /proc"))]
pub(crate) fn port_holder(port: u16) -> Option<String> {
    let pid = output("lsof", &["-nP", "-t", &format!("-iTCP:{port}"), "-sTCP:LISTEN"])?;
    let pid = pid.lines().next()?.trim();
    let command = output("ps", &["-o", "command=", "-p", pid]).unwrap_or_default();
    Some(format!("pid {pid} ({})", command.trim()))
}

/// Pids of the processes whose environment has `name=value`: `ps e` shows it to the owner.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux asks /proc"))]
pub(crate) fn with_environment(name: &str, value: &OsStr) -> Vec<u32> {
    let wanted = format!(" {name}={} ", value.to_string_lossy());
    output("ps", &["-A", "-E", "-o", "pid=,command="])
        .unwrap_or_default()
        .lines()
        .filter(|line| format!("{line} ").contains(&wanted))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}
