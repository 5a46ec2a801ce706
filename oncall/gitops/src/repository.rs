//! What should run now, commits, and the log.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use release::desired::{RULES, Tree};

use crate::{Error, Result, git::Git};

/// The branch that says what should run.
pub const MAIN: &str = "refs/heads/main";
/// Most files of a state.
const MOST: usize = 1000;
/// Most bytes of one of them.
const LARGEST: u64 = 1 << 20;
/// Between the fields of an entry of the log, and between entries: none of our texts has them.
const FIELD: char = '\u{1f}';
const ENTRY: char = '\u{1e}';

/// The repository. Cheap to clone; holds nothing open.
#[derive(Debug, Clone)]
pub struct Repository {
    folder: PathBuf,
}

/// A commit to make.
#[derive(Debug, Clone)]
pub struct NewCommit<'a> {
    /// The one before; none for the first.
    pub parent: Option<&'a str>,
    /// All files.
    pub tree: &'a Tree,
    /// Subject and body.
    pub message: &'a str,
    /// Who wrote it.
    pub author: &'a str,
    /// Who puts it into force.
    pub committer: &'a str,
}

/// A commit, as the log shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its id.
    pub id: String,
    /// The ids of those before.
    pub parents: Vec<String>,
    /// Who wrote it.
    pub author: String,
    /// Who put it into force.
    pub committer: String,
    /// When it was put into force.
    pub at: DateTime<Utc>,
    /// Subject, an empty line and the body.
    pub message: String,
}

impl Logged {
    /// The first line of the message.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The value of a trailer, such as `Key`.
    #[must_use]
    pub fn trailer(&self, name: &str) -> Option<&str> {
        self.message.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Repository {
    /// The one in this folder, whether it is there or not.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it is there, with a first commit.
    pub async fn exists(&self) -> bool {
        self.folder.is_dir() && self.head().await.is_ok()
    }

    /// Makes it, with a first commit. `hook` is the script that a push has to pass.
    ///
    /// # Errors
    /// When Git or the disk says no.
    pub async fn create(&self, tree: &Tree, by: &str, hook: &str) -> Result<String> {
        let failed = |what: &Path, cause: io::Error| Error::Files { what: what.display().to_string(), cause };
        fs::create_dir_all(&self.folder).map_err(|error| failed(&self.folder, error))?;
        self.git().run(&["init", "--quiet", "--bare", "--initial-branch=main"]).await?;
        for (name, value) in [
            ("receive.denyDeletes", "true"),
            ("receive.denyNonFastForwards", "true"),
            ("transfer.fsckObjects", "true"),
        ] {
            self.git().run(&["config", name, value]).await?;
        }
        let script = self.folder.join("hooks/pre-receive");
        fs::create_dir_all(self.folder.join("hooks")).map_err(|error| failed(&self.folder, error))?;
        fs::write(&script, hook).map_err(|error| failed(&script, error))?;
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&script, executable).map_err(|error| failed(&script, error))?;
        let message = "Begin with what the lab comes with\n";
        let first = NewCommit { parent: None, tree, message, author: by, committer: by };
        let first = self.commit(&first).await?;
        self.advance(None, &first).await?;
        Ok(first)
    }

    pub(crate) fn git(&self) -> Git<'_> {
        Git::of(&self.folder)
    }

    /// The newest commit that says what should run.
    ///
    /// # Errors
    /// When there is none, or Git says no.
    pub async fn head(&self) -> Result<String> {
        self.resolve(MAIN).await
    }

    /// The id of a commit, by any name that Git knows.
    ///
    /// # Errors
    /// When there is no such commit.
    pub async fn resolve(&self, name: &str) -> Result<String> {
        let commit = format!("{name}^{{commit}}");
        let id = self.git().run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).await;
        match id {
            Ok(id) => Ok(id.trim().to_owned()),
            Err(Error::Git { .. }) => Err(Error::Odd(format!("there is no commit `{name}`"))),
            Err(error) => Err(error),
        }
    }

    /// All files of a commit, by the id that [`Repository::resolve`] returns.
    ///
    /// # Errors
    /// When it has too many files, too large ones, or such that are no text.
    pub async fn tree(&self, commit: &str) -> Result<Tree> {
        let list = self.git().run(&["ls-tree", "-r", "-l", "-z", commit]).await?;
        let entries: Vec<&str> = list.split_terminator('\0').collect();
        if entries.len() > MOST {
            return Err(Error::Odd(format!("{} files, {MOST} at most", entries.len())));
        }
        let mut tree = Tree::new();
        for entry in entries {
            let odd = || Error::Odd(format!("`{entry}` is no file of a state"));
            let (about, path) = entry.split_once('\t').ok_or_else(odd)?;
            let mut about = about.split_whitespace();
            let (mode, _, id, size) =
                (about.next(), about.next(), about.next().ok_or_else(odd)?, about.next().ok_or_else(odd)?);
            let small = size.parse::<u64>().is_ok_and(|size| size <= LARGEST);
            if !small || !mode.is_some_and(|mode| mode.starts_with("100")) {
                return Err(odd());
            }
            tree.insert(path.to_owned(), self.git().run(&["cat-file", "blob", id]).await?);
        }
        Ok(tree)
    }

    /// Makes a commit. It says nothing yet: [`Repository::advance`] puts it into force.
    ///
    /// # Errors
    /// When Git says no.
    pub async fn commit(&self, new: &NewCommit<'_>) -> Result<String> {
        let tree = self.write(new.tree).await?;
        self.commit_tree(&tree, new.parent, new.message, (new.author, new.committer)).await
    }

    pub(crate) async fn commit_tree(
        &self,
        tree: &str,
        parent: Option<&str>,
        message: &str,
        (author, committer): (&str, &str),
    ) -> Result<String> {
        let mut git = Git { input: message, ..self.git() };
        for (role, name) in [("AUTHOR", author), ("COMMITTER", committer)] {
            let (variable, address) = match role {
                "AUTHOR" => ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"),
                _ => ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"),
            };
            git.env.push((variable, name.to_owned()));
            git.env.push((address, "lab@localhost".to_owned()));
        }
        let mut args = vec!["commit-tree", tree, "-F", "-"];
        if let Some(parent) = parent {
            args.extend(["-p", parent]);
        }
        Ok(git.run(&args).await?.trim().to_owned())
    }

    /// Writes files; a state has them in the root and in one folder.
    async fn write(&self, tree: &Tree) -> Result<String> {
        let (mut root, mut rules) = (String::new(), String::new());
        for (path, text) in tree {
            let blob = Git { input: text, ..self.git() }.run(&["hash-object", "-w", "--stdin"]).await?;
            let (list, name) = match path.strip_prefix(RULES) {
                Some(name) => (&mut rules, name),
                None => (&mut root, path.as_str()),
            };
            if name.is_empty() || name.contains(['/', '\n', '\t', '"']) {
                return Err(Error::Odd(format!("`{path}` is no file of a state")));
            }
            list.push_str(&format!("100644 blob {}\t{name}\n", blob.trim()));
        }
        if !rules.is_empty() {
            let folder = Git { input: &rules, ..self.git() }.run(&["mktree"]).await?;
            root.push_str(&format!("040000 tree {}\t{}\n", folder.trim(), RULES.trim_end_matches('/')));
        }
        Ok(Git { input: &root, ..self.git() }.run(&["mktree"]).await?.trim().to_owned())
    }

    /// Says that `to` is what should run, if `from` still is.
    ///
    /// # Errors
    /// [`Error::Moved`] if something else is.
    pub async fn advance(&self, from: Option<&str>, to: &str) -> Result<()> {
        let nothing = "0".repeat(40);
        match self.git().run(&["update-ref", MAIN, to, from.unwrap_or(&nothing)]).await {
            Err(Error::Git { .. }) if self.head().await.ok().as_deref() != from => Err(Error::Moved),
            other => other.map(drop),
        }
    }

    /// The newest commits of a range such as `main` or `old..new`, the newest first.
    ///
    /// # Errors
    /// When there is no such range, or Git says no.
    pub async fn log(&self, range: &str, most: usize) -> Result<Vec<Logged>> {
        let format = format!("--format=%H{FIELD}%P{FIELD}%an{FIELD}%cn{FIELD}%cI{FIELD}%B{ENTRY}");
        let most = format!("--max-count={most}");
        let text = self.git().run(&["log", &format, &most, "--end-of-options", range]).await?;
        let entries = text.split(ENTRY).map(str::trim_start).filter(|entry| !entry.is_empty());
        entries.map(logged).collect()
    }

    /// The commit whose message has this key, if it is in force.
    ///
    /// # Errors
    /// When Git says no.
    pub async fn keyed(&self, key: &str) -> Result<Option<String>> {
        let log = self.log(MAIN, MOST).await?;
        Ok(log.into_iter().find(|logged| logged.trailer("Key") == Some(key)).map(|logged| logged.id))
    }
}

fn logged(entry: &str) -> Result<Logged> {
    let odd = || Error::Odd(format!("git log printed `{entry}`"));
    let fields: Vec<&str> = entry.splitn(6, FIELD).collect();
    let [id, parents, author, committer, at, message] = fields.as_slice() else { return Err(odd()) };
    let at = DateTime::parse_from_rfc3339(at).map_err(|_| odd())?.with_timezone(&Utc);
    let text = |field: &str| field.to_owned();
    Ok(Logged {
        id: text(id),
        parents: parents.split_whitespace().map(str::to_owned).collect(),
        author: text(author),
        committer: text(committer),
        at,
        message: text(message),
    })
}
