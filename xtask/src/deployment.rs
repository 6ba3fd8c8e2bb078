//! The files in `deploy/`, tried with the programs that they are for: nginx and Caddy in front of the real server, systemd's own check
//! of the unit.
//!
//! A file is used as it stands, but for the places that every user changes: names, ports and certificates.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::failure::{Doing, Failure};
use crate::load::server::{self, Installation};
use crate::programs::{self, announce};

/// Tries every file of `deploy/` with the real programs.
pub async fn files() -> Result<(), Failure> {
    composition()?;
    let binary = server::build(false).await?;
    unit(&binary).await?;
    for proxy in [Proxy::Nginx, Proxy::Caddy] {
        behind(proxy, &binary).await?;
    }
    Ok(())
}

/// The compose file asks for nothing that the example of its settings lacks, and mounts only what is there.
fn composition() -> Result<(), Failure> {
    announce("the compose file and its settings");
    let folder = programs::root().join("deploy");
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).doing(format!("read deploy/{name}"));
    let (composed, example) = (text("compose.yaml")?, text("environment.example")?);
    for asked in composed.split("${").skip(1) {
        let name = asked.split([':', '}']).next().unwrap_or_default();
        if !example.lines().any(|line| line.starts_with(&format!("{name}="))) {
            return Err(Failure::Claim(format!("deploy/environment.example does not name {name}")));
        }
    }
    let mounted = composed.lines().filter_map(|line| line.trim().strip_prefix("- ./")?.split(':').next());
    for file in mounted {
        if !folder.join(file).is_file() {
            return Err(Failure::Claim(format!("deploy/{file}, which compose.yaml mounts, is not there")));
        }
    }
    Ok(())
}

/// What ends TLS for the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proxy {
    Nginx,
    Caddy,
}

impl Proxy {
    /// The program, and the Debian package that has it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Nginx => ("nginx", "nginx-light"),
            Self::Caddy => ("caddy", "caddy"),
        }
    }

    fn missing(self) -> Failure {
        let remedy = "install it (Debian: `apt-get install nginx-light caddy`), or run `cargo xtask test --fast`, which needs none";
        Failure::Missing { what: if self == Self::Nginx { "nginx" } else { "Caddy" }, remedy }
    }
}

/// The server behind a proxy, met by a client that knows nothing of the proxy's inside.
async fn behind(proxy: Proxy, binary: &Path) -> Result<(), Failure> {
    let (program, package) = proxy.names();
    announce(&format!("the real server behind {program}, with the file in deploy/"));
    let program = find(program, package).await.ok_or_else(|| proxy.missing())?;
    let public = server::free_address()?;
    let settings = vec![
        ("KAICALLS_PUBLIC_URL", format!("https://localhost:{}", public.port())),
        ("KAICALLS_TRUSTED_PROXIES", "127.0.0.1".to_owned()),
        ("KAICALLS_RATE_LIMIT_LOGINS", "5".to_owned()),
        ("KAICALLS_SANDBOX_PACE", "30".to_owned()),
    ];
    let installation = Installation::new(binary, None, settings).await?;
    let key = installation.key("test").await?;
    let running = installation.start().await?;
    let folder = folder()?;
    let certificate = certificate(folder.path()).await?;
    let configured = configure(proxy, folder.path(), &certificate, public, installation.address())?;
    let domain = format!("https://localhost:{}", public.port());
    let mut child = start(proxy, &program, folder.path(), &configured, &domain).await?;
    server::answers(public).await?;
    let mut client = programs::program("python3");
    client
        .arg("e2e/behind_proxy.py")
        .env("PROXY", format!("localhost:{}", public.port()))
        .env("PROXY_CA", &certificate.file)
        .env("KAICALLS_API_KEY", &key)
        .env("KAICALLS_EMAIL", server::EMAIL)
        .env("KAICALLS_PASSWORD", &installation.password);
    let outcome = programs::run(&mut client).await;
    child.kill().await.doing("end the proxy")?;
    running.kill().await?;
    outcome
}

async fn find(program: &str, package: &str) -> Option<PathBuf> {
    // Debian puts servers where only root's search path leads.
    let look = || {
        let known = Path::new("/usr/sbin").join(program);
        programs::found(program).or_else(|| known.is_file().then_some(known))
    };
    if look().is_none() {
        programs::install(package).await;
    }
    look()
}

/// A folder that the proxy's own user may read.
fn folder() -> Result<TempDir, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder =
        tempfile::Builder::new().prefix("kaicalls-proxy-").tempdir().doing("make a temporary folder")?;
    let readable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), readable).doing("open a temporary folder")?;
    Ok(folder)
}

struct Certificate {
    file: PathBuf,
    key: PathBuf,
}

/// A certificate for `localhost` that signs itself.
async fn certificate(folder: &Path) -> Result<Certificate, Failure> {
    let certificate = Certificate { file: folder.join("certificate.pem"), key: folder.join("key.pem") };
    let mut openssl = programs::program("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    openssl.arg("-keyout").arg(&certificate.key).arg("-out").arg(&certificate.file).stderr(Stdio::null());
    programs::run(&mut openssl).await?;
    Ok(certificate)
}

/// Writes the proxy's file with the places filled in that every user fills in.
fn configure(
    proxy: Proxy,
    folder: &Path,
    certificate: &Certificate,
    public: SocketAddr,
    inside: SocketAddr,
) -> Result<PathBuf, Failure> {
    let (file, key) = (certificate.file.display(), certificate.key.display());
    let port = public.port();
    let (source, changes) = match proxy {
        Proxy::Nginx => (
            "deploy/nginx/kaicalls.conf",
            vec![
                ("127.0.0.1:8080", inside.to_string()),
                ("listen 443 ssl", format!("listen 127.0.0.1:{port} ssl")),
                ("/etc/letsencrypt/live/kai.example.com/fullchain.pem", file.to_string()),
                ("/etc/letsencrypt/live/kai.example.com/privkey.pem", key.to_string()),
                ("server_name kai.example.com", "server_name localhost".to_owned()),
            ],
        ),
        Proxy::Caddy => (
            "deploy/caddy/Caddyfile",
            vec![
                ("{$UPSTREAM:127.0.0.1:8080}", format!("{{$UPSTREAM:{inside}}}")),
                (
                    "\n{$DOMAIN:kai.example.com} {\n",
                    format!("\n{{$DOMAIN}} {{\n\tbind 127.0.0.1\n\ttls {file} {key}\n"),
                ),
            ],
        ),
    };
    let text = std::fs::read_to_string(programs::root().join(source)).doing(format!("read {source}"))?;
    let mut text = filled_in(source, text, &changes)?;
    let target = folder.join(if proxy == Proxy::Nginx { "nginx.conf" } else { "Caddyfile" });
    text = match proxy {
        // The file belongs into a folder whose files nginx reads inside of `http`. One process, so that none is left behind when it is ended.
        Proxy::Nginx => format!(
            "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path {0}/body;\n\
             proxy_temp_path {0}/proxy;\nfastcgi_temp_path {0}/f;\nuwsgi_temp_path {0}/u;\nscgi_temp_path {0}/s;\n{text}\n}}\n",
            folder.display()
        ),
        Proxy::Caddy => format!("{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{text}"),
    };
    std::fs::write(&target, text).doing(format!("write {}", target.display()))?;
    Ok(target)
}

/// Replaces what must be there.
fn filled_in(source: &str, mut text: String, changes: &[(&str, String)]) -> Result<String, Failure> {
    for (old, new) in changes {
        if !text.contains(old) {
            return Err(Failure::Claim(format!("{source} no longer has `{old}`, which this test fills in")));
        }
        text = text.replace(old, new);
    }
    Ok(text)
}

async fn start(
    proxy: Proxy,
    program: &Path,
    folder: &Path,
    configured: &Path,
    domain: &str,
) -> Result<Child, Failure> {
    let command = || {
        let mut command = programs::program(program);
        command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        command.env("DOMAIN", domain);
        command
    };
    let (mut check, mut run) = (command(), command());
    match proxy {
        Proxy::Nginx => {
            check.args(["-q", "-t", "-c"]).arg(configured);
            run.arg("-c").arg(configured);
        }
        Proxy::Caddy => {
            check
                .args(["validate", "--adapter", "caddyfile", "--config"])
                .arg(configured)
                .stderr(Stdio::null());
            run.args(["run", "--adapter", "caddyfile", "--config"]).arg(configured).stderr(Stdio::null());
        }
    }
    programs::run(&mut check).await?;
    run.stdout(Stdio::null()).spawn().doing("start the proxy")
}

/// The unit as systemd reads it, with the program where this build has it.
async fn unit(binary: &Path) -> Result<(), Failure> {
    announce("the unit for systemd");
    let Some(analyser) = programs::found("systemd-analyze") else {
        println!("`systemd-analyze` is not here; the unit is not checked");
        return Ok(());
    };
    let source = "deploy/systemd/kaicalls.service";
    let text = std::fs::read_to_string(programs::root().join(source)).doing(format!("read {source}"))?;
    let text = filled_in(source, text, &[("/usr/bin/kaicalls", binary.display().to_string())])?;
    let folder = folder()?;
    let unit = folder.path().join("kaicalls.service");
    std::fs::write(&unit, text).doing("write the unit")?;
    let mut check: Command = programs::program(analyser);
    let output =
        check.args(["verify", "--man=no"]).arg(&unit).output().await.doing("start systemd-analyze")?;
    // What systemd says of other units of the machine is not ours.
    let complaints = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = complaints.lines().filter(|line| line.contains("kaicalls.service")).collect();
    if ours.is_empty() {
        Ok(())
    } else {
        Err(Failure::Claim(format!("systemd complains:\n{}", ours.join("\n"))))
    }
}
