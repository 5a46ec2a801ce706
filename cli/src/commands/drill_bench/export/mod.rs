//! A drill as a task for Harbor, the runner of agent benchmarks: `task.toml`, `instruction.md`,
//! `environment/`, `tests/`, `solution/`.
//!
//! The agent's container has only [`Brief`], which has no truth in it, and a way to the control room of a
//! second container, where the lab runs with a token that is made there. `tests/` asks the lab for its
//! verdict and holds no answer; `solution/` is copied in for Harbor's oracle alone.

mod solution;
mod text;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use drill::{
    Act, Drill,
    model::{Brief, Step},
    names::Need,
};

use crate::{commands::drill::verify::kit::Kit, home::Home, terminal::out};

/// What does not depend on the drill: path in the task, text, whether it is a program.
const FILES: &[(&str, &str, bool)] = &[
    ("environment/Dockerfile", include_str!("files/Dockerfile"), false),
    ("environment/on-call", include_str!("files/on-call"), true),
    ("environment/lab/Dockerfile", include_str!("files/lab.Dockerfile"), false),
    ("environment/lab/start", include_str!("files/start"), true),
    ("tests/test.sh", include_str!("files/test.sh"), true),
    ("tests/verdict.py", include_str!("files/verdict.py"), false),
    ("solution/solve.sh", include_str!("files/solve.sh"), true),
    ("solution/solve.py", include_str!("files/solve.py"), false),
];
/// The second container; it takes the place of the words in braces.
const COMPOSE: &str = include_str!("files/docker-compose.yaml");

/// Writes a drill as a task for other tools. Nothing that the agent's container gets tells what is broken.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill export --harbor first-page tasks     then: harbor run -p tasks/first-page -a AGENT -m MODEL\n\n\
    What is in a task, and what it needs: docs/agents.md")]
pub(crate) struct Export {
    /// As a task of Harbor.
    #[arg(long, required = true)]
    harbor: bool,
    /// The drill.
    drill: String,
    /// Folder for tasks; the task becomes a folder in it.
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
}

impl Export {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such drill, its file is wrong, no agent can solve it in a task, or the task exists already.
    pub(crate) fn run(self, home: &Home) -> Result<ExitCode> {
        ensure!(self.harbor, "expected --harbor: there is no other format");
        let drill = find(&home.root.join("drills"), &self.drill)?;
        if let Some(why) = refused(&drill) {
            bail!("{} {why}", drill.id);
        }
        let task = self.folder.join(&drill.id);
        ensure!(!task.exists(), "{} exists: remove it, or name another folder", task.display());
        write(&task, &drill, &revision(&home.root))?;
        out!("{}: harbor run -p {} -a AGENT -m MODEL", task.display(), task.display());
        Ok(ExitCode::SUCCESS)
    }
}

/// Why a drill is no task for an agent, if it is none.
fn refused(drill: &Drill) -> Option<&'static str> {
    let solves = |act: &Act| drill.solve.iter().any(|step| matches!(step, Step::Act(one) if one == act));
    let needs = |need: Need| drill.needs.contains(&need);
    if solves(&Act::Restore) {
        return Some("is solved with a restore, which two people do together: no agent can");
    }
    if solves(&Act::Failover) {
        return Some(
            "is solved with a failover, which asks for the name of the lab: a task does not know it",
        );
    }
    if needs(Need::Cloud) {
        return Some("needs an emulator of a cloud, which the lab of a task does not have");
    }
    (needs(Need::Kubernetes) || needs(Need::Replicas))
        .then_some("needs a cluster, and the lab of a task is one container")
}

/// A drill of a checkout.
fn find(folder: &Path, name: &str) -> Result<Drill> {
    let mut known: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        let Some(stem) = stem.filter(|_| path.extension().is_some_and(|ending| ending == "yaml")) else {
            continue;
        };
        if stem == name {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            return drill::read(&format!("drills/{name}.yaml"), &text)
                .map_err(|wrong| anyhow::anyhow!("{wrong}"));
        }
        known.push(stem);
    }
    known.sort_unstable();
    bail!("there is no drill `{name}`; there are: {}", known.join(", "))
}

/// The commit of a checkout: the lab of the task is built from it.
fn revision(root: &Path) -> String {
    let asked = Command::new("git").arg("-C").arg(root).args(["rev-parse", "HEAD"]).output();
    let said = asked.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let commit = said.and_then(|said| String::from_utf8(said).ok()).map(|text| text.trim().to_owned());
    commit.unwrap_or_else(|| "main".to_owned())
}

/// Writes the task.
fn write(task: &Path, drill: &Drill, revision: &str) -> Result<()> {
    let brief: Brief = drill.brief();
    put(task, "task.toml", &text::task(&brief, revision)?, false)?;
    put(task, "instruction.md", &text::instruction(&brief), false)?;
    put(task, "environment/docker-compose.yaml", &compose(drill, revision), false)?;
    // The run of another drill is worth nothing.
    put(task, "tests/drill", &format!("{}\n", brief.id), false)?;
    let steps = serde_json::to_string_pretty(&solution::steps(drill))?;
    put(task, "solution/steps.json", &format!("{steps}\n"), false)?;
    for (path, text, program) in FILES {
        put(task, path, text, *program)?;
    }
    Ok(())
}

/// The two containers; the lab has what the drill needs.
fn compose(drill: &Drill, revision: &str) -> String {
    let more = Kit::of(drill).more();
    let variables = more.variables.iter().map(|(name, value)| format!("      {name}: {value}\n"));
    COMPOSE
        .replace("{revision}", revision)
        .replace("{drill}", &drill.id)
        .replace("{options}", &more.options.join(" "))
        .replace("{variables}", &variables.collect::<String>())
}

fn put(task: &Path, path: &str, text: &str, program: bool) -> Result<()> {
    let path = task.join(path);
    let place = || path.display().to_string();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(place)?;
    }
    fs::write(&path, text).with_context(place)?;
    let mode = if program { 0o755 } else { 0o644 };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).with_context(place)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn drills() -> Vec<Drill> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../drills");
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let yaml = entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        let names = yaml.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
        names.map(|name| find(&folder, &name).unwrap()).collect()
    }

    /// Files of a task by their path in it.
    fn files(task: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(task, &path, found);
            } else {
                let name = path.strip_prefix(task).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn a_task_has_all_parts_and_what_the_agent_gets_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let drills = drills();
        assert!(drills.len() > 30);
        for drill in &drills {
            let task = folder.path().join(&drill.id);
            write(&task, drill, "0123abc").unwrap();
            let mut all = BTreeMap::new();
            files(&task, &task, &mut all);
            for part in [
                "task.toml",
                "instruction.md",
                "environment/Dockerfile",
                "tests/test.sh",
                "tests/drill",
                "solution/solve.sh",
            ] {
                assert!(all.contains_key(part), "{}: no {part}", drill.id);
            }
            for (name, text) in all.iter().filter(|(name, _)| !name.starts_with("solution/")) {
                assert!(!text.contains(drill.debrief.trim()), "{}: {name} has the debrief", drill.id);
                // The mechanisms to choose from are in the instruction; one of them may be named like its
                // fault.
                let named =
                    |fault: &&str| fault.contains('-') && name != "instruction.md" && text.contains(*fault);
                let told = drill.faults.iter().map(|fault| fault.fault.as_str()).find(named);
                assert_eq!(told, None, "{}: {name}", drill.id);
            }
            let compose = &all["environment/docker-compose.yaml"];
            assert!(compose.contains("0123abc") && compose.contains(&drill.id), "{compose}");
            let filled = ["{revision}", "{drill}", "{options}", "{variables}"];
            assert!(!filled.iter().any(|word| compose.contains(word)), "{compose}");
            let _: serde_json::Value = yaml::parse("docker-compose.yaml", compose).unwrap();
        }
    }

    #[test]
    fn the_lab_of_a_task_has_what_its_drill_needs() {
        let of = |id: &str| drills().into_iter().find(|drill| drill.id == id).unwrap();
        let read = |id: &str| -> serde_json::Value {
            yaml::parse("docker-compose.yaml", &compose(&of(id), "main")).unwrap()
        };
        let plain = read("first-page");
        assert_eq!(plain["services"]["lab"]["environment"]["LAB_OPTIONS"], "");
        assert_eq!(plain["services"]["lab"]["build"]["args"]["OPTIONS"], "");
        let replicas = read("now-and-then");
        let options = &replicas["services"]["lab"]["environment"]["LAB_OPTIONS"];
        assert_eq!(options, "--replicas=order-api=3");
        let bucket = read("no-more-shelves");
        let lab = &bucket["services"]["lab"];
        assert_eq!(lab["environment"]["LAB_OPTIONS"], lab["build"]["args"]["OPTIONS"]);
        assert_eq!(lab["environment"]["LAB_BACKUPS"], "s3://backups/lab");
        assert!(lab["environment"]["LAB_OPTIONS"].as_str().unwrap().contains("--objects"), "{lab}");
    }

    #[test]
    fn a_program_is_one_and_a_drill_that_is_not_there_lists_those_that_are() {
        let folder = tempfile::tempdir().unwrap();
        let first = drills().into_iter().find(|drill| drill.id == "first-page").unwrap();
        write(folder.path(), &first, "main").unwrap();
        for (path, _, program) in FILES {
            let mode = fs::metadata(folder.path().join(path)).unwrap().permissions().mode();
            assert_eq!(mode & 0o111 != 0, *program, "{path}");
        }
        let drills = Path::new(env!("CARGO_MANIFEST_DIR")).join("../drills");
        let missing = find(&drills, "../drills/noon").unwrap_err().to_string();
        assert!(missing.contains("there is no drill") && missing.contains("first-page"), "{missing}");
        let export = |drill: &str| {
            let folder = folder.path().join("tasks");
            Export { harbor: true, drill: drill.to_owned(), folder }
        };
        let root = drills.parent().unwrap().to_path_buf();
        let home = Home { dir: supervisor::Folder::at(&root.join(".lab")), root, token: None };
        let refused = export("bare-walls").run(&home).unwrap_err().to_string();
        assert!(refused.contains("two people"), "{refused}");
        let refused = export("next-in-line").run(&home).unwrap_err().to_string();
        assert!(refused.contains("name of the lab"), "{refused}");
        let refused = export("slow-post").run(&home).unwrap_err().to_string();
        assert!(refused.contains("emulator of a cloud"), "{refused}");
    }
}
