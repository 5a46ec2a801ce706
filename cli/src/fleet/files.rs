//! The files of the fleet: what the control room asks for, what it is told, the routes of the edge, the targets of Prometheus.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use observe::Peer;
use release::fleet::{BUILDS, FILE, FOLDER, Fleet, Pair, STANDING, Standing};
use serde_json::json;
use supervisor::{Folder, Part, write_private};
use tokio::task::JoinSet;

use super::crew::Crew;
use crate::{
    home::Home,
    parts::{
        edge::{self, BEHIND, EDGE, ROUTES_FILE},
        monitoring,
        table::Choices,
    },
};

pub(super) struct Files {
    /// The lab's own folder.
    pub(super) lab: Folder,
    /// That of [`FOLDER`].
    folder: PathBuf,
    /// Where instances have their own folders.
    pub(super) data: PathBuf,
    /// The folder with the targets of Prometheus.
    targets: PathBuf,
    /// The file of the edge's routes, and its text while nothing is released.
    routes: (PathBuf, String),
    /// Admin ports of the edges.
    edges: Vec<Peer>,
}

impl Files {
    /// Forgets the fleet of an earlier lab.
    pub(super) fn new(home: &Home, choices: &Choices, parts: &[Part]) -> Result<Self> {
        let folder = home.dir.join(FOLDER);
        for name in [FILE, STANDING] {
            let path = folder.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        let edge = |part: &Part| {
            let admin = part.admin.as_ref().filter(|_| part.service() == EDGE)?;
            Some(Peer::at(admin).token(choices.token.clone()))
        };
        let files = Self {
            lab: home.dir.clone(),
            folder,
            data: home.dir.join("data"),
            targets: monitoring::guests(home),
            routes: (home.dir.join(EDGE).join(ROUTES_FILE), edge::written(choices)),
            edges: parts.iter().filter_map(edge).collect(),
        };
        // Prometheus watches files that exist.
        BEHIND.iter().try_for_each(|service| files.scrape(service, None)).map(|()| files)
    }

    /// Copies a program for one instance, which then shares its code with no other process; where the copy is.
    pub(super) async fn copy(&self, program: &Path, instance: &str) -> Result<PathBuf> {
        let folder = self.folder.join(BUILDS);
        let (place, draft) = (folder.join(instance), folder.join(format!("{instance}.new")));
        let copied = async {
            tokio::fs::create_dir_all(&folder).await?;
            tokio::fs::copy(program, &draft).await?;
            // An instance that still runs keeps the file that it has.
            tokio::fs::rename(&draft, &place).await
        };
        copied.await.with_context(|| format!("cannot copy {} to {}", program.display(), place.display()))?;
        Ok(place)
    }

    /// What should run; nothing before the first release.
    pub(super) fn fleet(&self) -> Result<Fleet> {
        let path = self.folder.join(FILE);
        match fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).with_context(|| format!("{} is no fleet", path.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Fleet::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub(super) fn tell(&self, standing: &Standing) -> Result<()> {
        let text = serde_json::to_string_pretty(standing)?;
        Ok(write_private(&self.folder.join(STANDING), &text)?)
    }

    /// Lets Prometheus scrape these too, or nothing but what stays.
    pub(super) fn scrape(&self, service: &str, pair: Option<&Pair>) -> Result<()> {
        let groups = match pair {
            Some(Pair { canary, baseline }) => {
                json!([{ "targets": [baseline, canary], "labels": { "service": service } }])
            }
            None => json!([]),
        };
        Ok(write_private(&self.targets.join(format!("{service}.json")), &groups.to_string())?)
    }

    /// Writes routes that split the requests as the crews say.
    pub(super) fn split(&self, services: &BTreeMap<&'static str, Crew>) -> Result<()> {
        let (path, alone) = &self.routes;
        let text = services.iter().fold(alone.clone(), |text, (name, crew)| match crew.shares {
            Some(shares) => edge::split(&text, name, crew.public(), shares),
            None => text,
        });
        Ok(write_private(path, &text)?)
    }

    /// Lets every edge read its routes now. One that does not answer keeps none of the others from doing so.
    pub(super) async fn reload(&self) -> Result<()> {
        let mut told = JoinSet::new();
        for edge in self.edges.clone() {
            told.spawn(async move {
                let place = || format!("{} does not take the new routes", edge.base());
                edge.post("/reload", &json!({})).await.with_context(place)
            });
        }
        told.join_all().await.into_iter().try_for_each(|answer| answer.map(drop))
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn an_edge_that_does_not_answer_keeps_no_other_from_its_new_routes() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = format!("http://{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let routes = folder.path().join(ROUTES_FILE);
        let files = Files {
            lab: Folder::at(folder.path()),
            folder: folder.path().into(),
            data: folder.path().into(),
            targets: folder.path().into(),
            routes: (routes.clone(), "routes: []".to_owned()),
            // The first one does not answer: nobody listens on port 1 without being root.
            edges: vec![Peer::at("http://127.0.0.1:1"), Peer::at(alive)],
        };
        files.split(&BTreeMap::new()).unwrap();
        let error = format!("{:#}", files.reload().await.unwrap_err());
        assert!(error.starts_with("http://127.0.0.1:1 does not take the new routes"), "{error}");
        assert!(asked.await.unwrap().starts_with("POST /reload"));
        assert_eq!(fs::read_to_string(routes).unwrap(), "routes: []");
    }
}
