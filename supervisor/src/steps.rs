//! What runs before a part does: its preparation, and errands between two of its runs.

use std::{fs, process::Stdio};

use tokio::io::AsyncWriteExt;

use crate::{
    Error, Result,
    command::command,
    error::About as _,
    logfile,
    part::{Line, Preparation, Step},
    private::write_private,
    process::ProcId,
    state::Status,
    tend::Tender,
};

impl Tender {
    /// Does what has to be done before the first start, unless it was done before.
    ///
    /// # Errors
    /// When a step fails, or the lab is stopping.
    pub(super) async fn prepare(&self, preparation: &Preparation) -> Result<()> {
        if preparation.unless.exists() {
            return Ok(());
        }
        for step in &preparation.steps {
            match step {
                Step::Remove(path) if !path.exists() => {}
                Step::Remove(path) => {
                    let removed =
                        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
                    removed.about("remove", path)?;
                }
                Step::Run(line, input) => self.run_step(line, input).await?,
                Step::Rename(from, to) => {
                    fs::rename(from, to).about("create", to)?;
                }
                Step::Mark(path) => write_private(path, "")?,
            }
        }
        Ok(())
    }

    /// Does requested work. If it fails, the part's log says why, and the part is started anyway.
    pub(super) async fn errand(&self) {
        let Some(errand) = self.part.errand.as_ref().filter(|errand| errand.request.exists()) else { return };
        self.board.part(&self.part.name, |part| {
            part.process = None;
            part.status = Status::Preparing;
        });
        if let Err(error) = self.run_step(&errand.line, "").await {
            self.board.say(&format!("{}: {error}", self.part.name));
        }
        let _ = fs::remove_file(&errand.request);
    }

    async fn run_step(&self, line: &Line, input: &str) -> Result<()> {
        let log = logfile::open(&self.folder.log(&self.part.name))?;
        let name = line.program.display();
        let mut child = command(line, &self.folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| Error::Program { program: line.program.clone(), cause })?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends before it has read its input explains this by its exit status.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let status = tokio::select! {
            status = child.wait() => status?,
            () = self.stop.gently.cancelled() => {
                // The whole group: initdb starts servers itself.
                child.id().and_then(ProcId::of).inspect(|process| process.kill_group());
                child.wait().await?;
                return Err(Error::Stopped(name.to_string()));
            }
        };
        if !status.success() {
            return Err(Error::Ended { what: name.to_string(), status });
        }
        Ok(())
    }
}
