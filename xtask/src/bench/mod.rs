//! `cargo xtask bench`: figures of the released binary, each the median of interleaved runs, beside what it is to be held against in the
//! same run.
//!
//! The command builds the server and itself as a release would be built and hands over to the fast copy of itself, so that the load
//! comes from optimised code. A round measures everything once; the rounds follow one another, so that a machine that grows slower in
//! between slows all figures alike.

mod bare;
mod deliveries;
mod goals;
mod growth;
mod peers;
mod report;
mod scale;
mod subject;

use std::path::{Path, PathBuf};

use crate::baseline;
use crate::failure::{Doing, Failure};
use crate::load::server::Installation;
use crate::postgres::{Durability, Postgres};
use crate::programs::{self, announce, target};

use peers::Peer;
use report::Report;
use scale::{CONNECTIONS, LOAD, POOL};
use subject::Subject;

pub use bare::serve as bare_route;

/// What a user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Options {
    rounds: u32,
    growth: bool,
    /// A commit whose server is measured in the same rounds.
    against: Option<String>,
    json: PathBuf,
}

impl Options {
    fn parse(arguments: &[&str]) -> Result<Self, Failure> {
        const USAGE: &str =
            "usage: cargo xtask bench [--rounds N] [--growth] [--against COMMIT] [--json FILE]\n";
        let json = target().join("bench.json");
        let mut options = Self { rounds: 3, growth: false, against: None, json };
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            let mut value = || rest.next().map(|value| (*value).to_owned()).ok_or(Failure::Usage(USAGE));
            match argument {
                "--growth" => options.growth = true,
                "--against" => options.against = Some(value()?),
                "--json" => options.json = value()?.into(),
                "--rounds" => {
                    let rounds = value()?.parse().ok().filter(|rounds| *rounds > 0);
                    options.rounds = rounds.ok_or(Failure::Usage(USAGE))?;
                }
                _ => return Err(Failure::Usage(USAGE)),
            }
        }
        Ok(options)
    }
}

/// Builds, and hands over to the fast copy of this program.
pub async fn run(arguments: &[&str]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    announce("building as a release is built");
    build(&programs::root(), &["--profile", "dist"], &["server", "xtask"], &target()).await?;
    let built = target().join("dist");
    let mut measuring = programs::program(built.join("xtask"));
    measuring.arg("bench-measure").arg(built.join("kaicalls"));
    measuring.arg(match &options.against {
        Some(commit) => before(commit).await?,
        None => PathBuf::new(),
    });
    programs::run(measuring.args(arguments)).await
}

async fn build(root: &Path, profile: &[&str], packages: &[&str], target: &Path) -> Result<(), Failure> {
    let mut command = programs::cargo();
    command.current_dir(root).env("CARGO_TARGET_DIR", target).args(["build", "--quiet"]).args(profile);
    for package in packages {
        command.args(["--package", package]);
    }
    programs::run(&mut command).await
}

/// The server of another commit, built as that commit builds its releases.
async fn before(commit: &str) -> Result<PathBuf, Failure> {
    announce(&format!("building {commit} to compare with"));
    let (folder, target) = (target().join("bench-against/source"), target().join("bench-against/target"));
    let git = |arguments: &[&str]| {
        let mut git = programs::program("git");
        git.args(arguments);
        git
    };
    let shown = folder.display().to_string();
    // What an earlier comparison left; there may be nothing.
    let _ = programs::output(&mut git(&["worktree", "remove", "--force", &shown])).await;
    programs::run(&mut git(&["worktree", "add", "--quiet", "--force", "--detach", &shown, commit])).await?;
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).doing("read the other Cargo.toml")?;
    let has_dist = manifest.contains("[profile.dist]");
    let profile: &[&str] = if has_dist { &["--profile", "dist"] } else { &["--release"] };
    let built = build(&folder, profile, &["server"], &target).await;
    programs::run(&mut git(&["worktree", "remove", "--force", &shown])).await?;
    built.map(|()| target.join(if has_dist { "dist" } else { "release" }).join("kaicalls"))
}

/// Measures everything, prints the table, writes the JSON file, and fails if a goal is missed.
pub async fn measure(binary: &str, before: &str, arguments: &[&str]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    let mut servers = vec![("", Path::new(binary))];
    if !before.is_empty() {
        servers.push((" before", Path::new(before)));
    }
    let mut report = Report::new(options.rounds);
    let postgres = Postgres::start(Durability::Synced).await?;
    let outcome = async {
        rounds(&options, &servers, &postgres, &mut report).await?;
        if options.growth { growth::measure(binary.as_ref(), &postgres, &mut report).await } else { Ok(()) }
    }
    .await;
    postgres.stop().await;
    outcome?;
    report.print();
    std::fs::write(&options.json, report.json()).doing(format!("write {}", options.json.display()))?;
    println!("\nAll values are in {}", options.json.display());
    goals::check(&report, options.growth)
}

async fn rounds(
    options: &Options,
    servers: &[(&'static str, &Path)],
    postgres: &Postgres,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut on_sqlite = Vec::new();
    let mut on_postgres = Vec::new();
    for (suffix, binary) in servers {
        on_sqlite.push(Subject::start("SQLite", suffix, binary, None, report).await?);
        let url = postgres.database().await?;
        on_postgres.push(Subject::start("PostgreSQL", suffix, binary, Some(url), report).await?);
    }
    // The databases alone, with the server's tables but without a server.
    let binary = servers[0].1;
    let file = Installation::new(binary, None, Vec::new()).await?;
    let tables = Installation::new(binary, Some(postgres.database().await?), Vec::new()).await?;
    let peers = Peer::all(tables.database_url()).await?;
    for round in 1..=options.rounds {
        announce(&format!("round {round} of {}", options.rounds));
        alone_on_sqlite(&file, report)?;
        bare::measure("SQLite", &on_sqlite[0], report).await?;
        for subject in &on_sqlite {
            subject.measure(report).await?;
            deliveries::measure(subject, report).await?;
        }
        alone_on_postgres(tables.database_url(), report).await?;
        bare::measure("PostgreSQL", &on_postgres[0], report).await?;
        for peer in &peers {
            peer.measure(report).await?;
        }
        for subject in &on_postgres {
            subject.measure(report).await?;
            deliveries::measure(subject, report).await?;
        }
    }
    for subject in on_sqlite.into_iter().chain(on_postgres) {
        subject.stop(report).await?;
    }
    Ok(())
}

fn alone_on_sqlite(installation: &Installation, report: &mut Report) -> Result<(), Failure> {
    let file = installation.file().ok_or_else(|| Failure::Claim("no SQLite file was made".to_owned()))?;
    report.rate("SQLite", goals::ALONE, &baseline::sqlite(file, 1, LOAD / 2)?);
    report.rate("SQLite", goals::ALONE_GROUPED, &baseline::sqlite(file, CONNECTIONS, LOAD / 2)?);
    Ok(())
}

async fn alone_on_postgres(url: &str, report: &mut Report) -> Result<(), Failure> {
    report.rate("PostgreSQL", goals::ALONE, &baseline::postgres(url, POOL, LOAD / 2).await?);
    report.rate("PostgreSQL", goals::ALONE_WIDE, &baseline::postgres(url, CONNECTIONS, LOAD / 2).await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_or_refused() {
        let read = |arguments: &[&str]| Options::parse(arguments).ok();
        let all = read(&["--rounds", "5", "--growth", "--against", "v0.1.0", "--json", "x"]).expect("fine");
        assert_eq!((all.rounds, all.growth, all.against.as_deref()), (5, true, Some("v0.1.0")));
        assert_eq!(read(&[]).map(|options| options.rounds), Some(3));
        for wrong in [&["--rounds"][..], &["--rounds", "0"], &["--against"], &["quickly"]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
