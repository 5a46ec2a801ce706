//! Where files are: the checkout (`root`) and the lab's own folder (`dir`, normally `.lab` in the checkout).
//!
//! Everything that the lab writes is below `dir`, with one exception that `parts::postgres` explains.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use slo::Clock;
use supervisor::{
    Folder,
    part::Line,
    state::{LabState, PartState},
};
use switchboard::{Instance, Place};

/// The two folders that every command needs.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The checkout: rules, dashboards and binaries are found from here.
    pub(crate) root: PathBuf,
    /// State, data and logs of one lab.
    pub(crate) dir: Folder,
    /// Token for `/faults` and `/protections`, if the services require one.
    pub(crate) token: Option<String>,
}

impl Home {
    /// Resolves both folders. Creates nothing.
    ///
    /// # Errors
    /// When no checkout is found and none was named.
    pub(crate) fn find(root: Option<&Path>, dir: Option<&Path>) -> Result<Self> {
        let here = std::env::current_dir().context("the current folder cannot be read")?;
        let root = match root {
            Some(root) => here.join(root),
            None => checkout_above(&here).or_else(checkout_of_executable).context(
                "no checkout found here or above: change into one, or name it with --root (LAB_ROOT)",
            )?,
        };
        if !root.join(RULES).is_dir() {
            bail!("{} is not a checkout of the lab: it has no {RULES}", root.display());
        }
        let dir = dir.map_or_else(|| root.join(".lab"), |dir| here.join(dir));
        Ok(Self { root, dir: Folder::at(&dir), token: None })
    }

    /// The lab that runs here.
    ///
    /// # Errors
    /// When no lab runs.
    pub(crate) fn lab(&self) -> Result<LabState> {
        let state = LabState::load(&self.dir)?;
        state.with_context(|| format!("no lab runs in {}: start one with `lab up`", self.dir.display()))
    }

    /// The clock of the lab that runs here; that of the lab if none runs.
    pub(crate) fn clock(&self) -> Clock {
        let state = LabState::load(&self.dir).ok().flatten();
        state.and_then(|state| Clock::named(state.labels.get(CLOCK)?)).unwrap_or(Clock::Lab)
    }

    /// The archive of its weekly reports.
    pub(crate) fn reports(&self) -> PathBuf {
        self.dir.join("reports")
    }

    /// The switches of its services.
    ///
    /// # Errors
    /// As [`Home::lab`].
    pub(crate) fn switches(&self) -> Result<Place> {
        let instance = |part: PartState| {
            Some(Instance { service: part.service().to_owned(), name: part.name, admin: part.admin? })
        };
        Ok(Place::Here(self.lab()?.parts.into_iter().filter_map(instance).collect()))
    }

    /// Creates the lab's folder, for its owner alone.
    ///
    /// # Errors
    /// When it cannot be created or closed to others.
    pub(crate) fn create(&self) -> Result<()> {
        let secrets = self.dir.join("secrets");
        fs::create_dir_all(&secrets).with_context(|| format!("cannot create {}", secrets.display()))?;
        Ok(self.dir.create()?)
    }

    /// This program once more, about this lab: a part, or work of the supervisor. The caller adds the command.
    ///
    /// # Errors
    /// When the path of this program is unknown.
    pub(crate) fn again(&self) -> Result<Line> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let line = Line::new(std::env::current_exe()?);
        Ok(line.args(["--root".to_owned(), text(&self.root), "--dir".to_owned(), text(&self.dir)]))
    }

    /// Points to the folder outside `dir` that holds PostgreSQL's data, if there is one.
    pub(crate) fn outside(&self) -> PathBuf {
        self.dir.join("postgres.path")
    }
}

const RULES: &str = "dashboards/rules";

/// The label of the lab's state that names the clock of its rules.
pub(crate) const CLOCK: &str = "clock";

fn checkout_above(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| folder.join(RULES).is_dir()).map(Path::to_path_buf)
}

fn checkout_of_executable() -> Option<PathBuf> {
    checkout_above(&std::env::current_exe().ok()?)
}
