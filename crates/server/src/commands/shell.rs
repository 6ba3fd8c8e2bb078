//! `kaicalls completions` and `kaicalls man`: what shells and manual pages want to know, made from the commands themselves.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::{self, say};

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  kaicalls completions bash > ~/.local/share/bash-completion/completions/kaicalls"
)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the completions of a program.
    pub(crate) fn run(&self, mut program: Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "kaicalls", &mut script);
        output::bytes(&script)
    }
}

/// Print the manual page, or write the pages of all commands into a folder
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kaicalls man | man -l -\n  kaicalls man --dir /usr/local/share/man/man1"
)]
pub(crate) struct Manual {
    /// Folder for the pages of all commands
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

impl Manual {
    /// Prints or writes the pages of a program.
    pub(crate) fn run(&self, program: Command) -> Result<(), Failure> {
        let Some(folder) = &self.dir else { return output::bytes(&page(program)?) };
        let problem = |error: std::io::Error| {
            Failure::Because(format!("--dir: {} cannot be written: {error}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(problem)?;
        let mut program = program;
        program.build();
        let count = write_pages(folder, &program, "kaicalls").map_err(problem)?;
        say!("{count} pages in {}", folder.display())
    }
}

fn page(command: Command) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    Ok(text)
}

/// Writes the pages of a command and of all below it; says how many there were.
fn write_pages(folder: &Path, command: &Command, name: &str) -> std::io::Result<usize> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name).render(&mut text)?;
    std::fs::write(folder.join(format!("{name}.1")), text)?;
    let mut count = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help")
    {
        count += write_pages(folder, below, &format!("{name}-{}", below.get_name()))?;
    }
    Ok(count)
}
