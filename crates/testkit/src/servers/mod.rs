//! Other people's servers, as a test needs them: each on a port of its own, with its data in a temporary folder, gone when it is dropped.
//!
//! `cargo xtask test` installs what is missing. Where a program is not here, and may not be installed, its tests say that they tried
//! nothing; under `CI` they fail.

mod pgbouncer;
mod postgres;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub use pgbouncer::PgBouncer;
pub use postgres::{PrivatePostgres, SecuredBy};

/// How often another port is tried, because somebody else may take one before the server does.
const ATTEMPTS: usize = 5;

/// How long a server may take until it listens: a hundred times as long as it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(20);

/// A process that ends with its owner.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    /// Starts what is given a free port, and waits until it listens there.
    fn on_a_free_port(mut start: impl FnMut(u16) -> Command) -> Self {
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut child = start(port).stdin(Stdio::null()).spawn().expect("the program starts");
            if listens(&mut child, port) {
                return Self { child, port };
            }
        }
        panic!("the server finds no port")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port on which nothing listens right now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound listener").port()
}

/// Waits until the program listens; false if it ended instead.
fn listens(child: &mut Child, port: u16) -> bool {
    let patience = crate::Patience::of(PATIENCE);
    while patience.is_left() {
        if child.try_wait().expect("a child can be looked after").is_some() {
            return false;
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    panic!("a server takes longer than {PATIENCE:?} to listen on port {port}")
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = crate::Patience::of(PATIENCE);
    while !is_so() {
        assert!(patience.is_left(), "it takes longer than {PATIENCE:?} until {what}");
        std::thread::sleep(LOOK);
    }
}

/// The first of these programs that is here; says so if none is, because then nothing is tested.
fn first_found(programs: &[&str], package: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let paths =
        folders.iter().flat_map(|folder| programs.iter().map(move |name| Path::new(folder).join(name)));
    let found = paths.into_iter().find(|path| path.is_file());
    if found.is_none() {
        missing(programs.first().unwrap_or(&""), package);
    }
    found
}

fn missing(program: &str, package: &str) {
    #[expect(clippy::disallowed_methods, reason = "CI must not pass by leaving tests out")]
    let must_be_here = std::env::var_os("CI").is_some();
    assert!(!must_be_here, "{program} is not here, and CI runs every test");
    eprintln!("{program} is not here (Debian: `apt-get install {package}`): nothing was tried");
}

/// Somebody without rights, as whom servers run that refuse to be root.
struct Substitute {
    user: u32,
    group: u32,
}

impl Substitute {
    /// None if this process has no rights to give up.
    fn needed() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let users = std::fs::read_to_string("/etc/passwd").expect("a list of users");
        let user = |wanted: &str| {
            users.lines().find_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                let (name, user, group) = (fields.first()?, fields.get(2)?, fields.get(3)?);
                (*name == wanted).then(|| Self {
                    user: user.parse().expect("a number"),
                    group: group.parse().expect("a number"),
                })
            })
        };
        Some(user("postgres").or_else(|| user("nobody")).expect("a user without rights"))
    }
}

/// A command that runs without our rights where a server demands that, and dies with us.
fn humbly(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=KILL");
    if let Some(substitute) = Substitute::needed() {
        command.args([
            format!("--reuid={}", substitute.user),
            format!("--regid={}", substitute.group),
            "--clear-groups".to_owned(),
        ]);
    }
    command.arg("--").arg(program).current_dir("/").env_clear();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Hands a file or folder to the user that servers run as.
fn hand_over(path: &Path) {
    if let Some(substitute) = Substitute::needed() {
        chown(path, Some(substitute.user), Some(substitute.group)).expect("root hands files over");
    }
}
