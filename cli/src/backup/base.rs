//! A base backup: the files of the server while it works, with the WAL that makes them consistent, by `pg_basebackup`; and
//! the control room's file of the same moment.

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use recovery::{Lsn, Manifest, manifest::VERSION};

use super::{Engine, room};

/// Name of the server's files in a backup, before its endings.
pub(crate) const BASE: &str = "base.tar";

impl Engine {
    /// Makes a backup; returns its manifest.
    ///
    /// # Errors
    /// When the server does not run, or anything fails; nothing of the backup is left then.
    pub(crate) async fn back_up(&self) -> Result<Manifest> {
        let port = self.source.port.context("PostgreSQL does not run: start the lab with `lab up`")?;
        let id = Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
        let folder = format!("backups/{id}");
        if !self.vault.store.list(&format!("{folder}/"))?.is_empty() {
            bail!("backup {id} exists already: wait a second");
        }
        let made = self.make(port, &id, &folder).await;
        if made.is_err() {
            // The manifest is written last, so what is there counts for nothing.
            for object in self.vault.store.list(&format!("{folder}/")).unwrap_or_default() {
                let _ = self.vault.store.delete(&object.name);
            }
        }
        made
    }

    async fn make(&self, port: u16, id: &str, folder: &str) -> Result<Manifest> {
        let began = Utc::now();
        let mut files = Vec::new();
        if let Some(copy) = room::copy(&self.room).await? {
            let mut copy = copy.reopen()?;
            files.push(self.vault.pack(&format!("{folder}/{}", room::ROOM), &mut copy, began)?);
        }
        let mut child = self.basebackup(port).spawn().context("cannot run pg_basebackup")?;
        let said = said(&mut child);
        let mut content = child.stdout.take().context("pg_basebackup has no output")?;
        let packed = self.vault.pack(&format!("{folder}/{BASE}"), &mut content, began);
        // So that it ends if packing failed half-way.
        drop(content);
        let status = child.wait()?;
        let said = said.join().unwrap_or_default();
        if !status.success() {
            bail!("pg_basebackup failed: {}", last_line(&said));
        }
        files.push(packed?);
        let (start, timeline, stop) = places(&said).with_context(|| {
            format!("pg_basebackup does not say where its WAL begins and ends: {}", last_line(&said))
        })?;
        let manifest = Manifest {
            version: VERSION,
            id: id.to_owned(),
            instance: self.instance.clone(),
            began,
            ended: Utc::now(),
            timeline,
            start,
            stop,
            segment_bytes: self.source.segment_bytes,
            server: self.local.version()?,
            key: self.vault.key_id(),
            files,
        };
        self.vault.put_text(&format!("{folder}/manifest.json"), &manifest.text()?, manifest.ended)?;
        Ok(manifest)
    }

    fn basebackup(&self, port: u16) -> Command {
        let mut command = self.local.client("pg_basebackup");
        command
            .args(["--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--verbose"])
            .args(["--no-password", "--host=127.0.0.1"])
            .args([format!("--port={port}"), format!("--username={}", self.source.user)])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(file) = &self.source.pass_file {
            command.env("PGPASSFILE", file);
        }
        command
    }
}

/// Collects what a child says on standard error, so that it never waits for a reader.
fn said(child: &mut Child) -> thread::JoinHandle<String> {
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// The last line that a program said.
pub(crate) fn last_line(text: &str) -> &str {
    text.trim().lines().last().unwrap_or("it says nothing")
}

/// Start, timeline and stop, from `write-ahead log start point: 0/2000028 on timeline 1` and `… end point: 0/2000138`.
fn places(said: &str) -> Option<(Lsn, u32, Lsn)> {
    let after = |words: &str| said.lines().find_map(|line| Some(line.split_once(words)?.1.trim()));
    let (start, timeline) = after("write-ahead log start point:")?.split_once(" on timeline ")?;
    let stop = after("write-ahead log end point:")?;
    Some((start.trim().parse().ok()?, timeline.trim().parse().ok()?, stop.parse().ok()?))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_places_are_read_from_what_pg_basebackup_says() {
        let said = "pg_basebackup: initiating base backup, waiting for checkpoint to complete\n\
                    pg_basebackup: write-ahead log start point: 0/2000028 on timeline 3\n\
                    pg_basebackup: write-ahead log end point: 1/138\npg_basebackup: base backup completed\n";
        assert_eq!(places(said), Some((Lsn(0x200_0028), 3, Lsn(0x1_0000_0138))));
        assert_eq!(places("pg_basebackup: error: connection failed\n"), None);
        assert_eq!(last_line(""), "it says nothing");
    }
}
