//! Programs of this machine that hear or speak: how they are found and run.
//!
//! What a caller says or an agent answers goes to a program by files in a folder of its own, never as an argument that others can read.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use speech::SpeechError;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Semaphore;

/// The most that a program's answer may be, in bytes: ten minutes of 16-bit samples at 22 kHz.
const MAX_OUTPUT: u64 = 26_460_000;

/// How many programs run at once for one provider; others wait. More would only make each slower.
const AT_ONCE: usize = 4;

/// Looks for a program: by its path if it has one, otherwise where programs are.
pub fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    #[expect(clippy::disallowed_methods, reason = "where programs are is no setting of ours")]
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// A program that was found, and how many of it may run.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    turns: Arc<Semaphore>,
}

impl Program {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Runs the program and gives what it printed, or what it wrote into `output` of the folder. `prepare` lays the input into the folder
    /// and sets the arguments. Dropping the future ends the program.
    pub(crate) async fn run(
        &self,
        prepare: impl FnOnce(&Path, &mut Command) -> std::io::Result<()> + Send,
        output: Option<&str>,
    ) -> Result<Vec<u8>, SpeechError> {
        let _turn = self.turns.acquire().await.expect("nobody closes the queue for turns");
        let folder = tempfile::Builder::new().prefix("kaicalls-speech").tempdir().map_err(not_run)?;
        self.run_in(&folder, prepare, output).await.map_err(not_run)
    }

    async fn run_in(
        &self,
        folder: &TempDir,
        prepare: impl FnOnce(&Path, &mut Command) -> std::io::Result<()>,
        output: Option<&str>,
    ) -> std::io::Result<Vec<u8>> {
        let mut command = Command::new(&self.path);
        command.current_dir(folder.path());
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command.stdout(if output.is_some() { Stdio::null() } else { Stdio::piped() });
        prepare(folder.path(), &mut command)?;
        let mut child = command.spawn()?;
        let mut printed = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            pipe.take(MAX_OUTPUT).read_to_end(&mut printed).await?;
        }
        if !child.wait().await?.success() {
            return Err(std::io::Error::other("it reported a failure"));
        }
        if let Some(name) = output {
            let file = tokio::fs::File::open(folder.path().join(name)).await?;
            file.take(MAX_OUTPUT).read_to_end(&mut printed).await?;
        }
        Ok(printed)
    }
}

fn not_run(error: std::io::Error) -> SpeechError {
    SpeechError::Retry { after: None, reason: format!("the program could not be run: {error}") }
}
