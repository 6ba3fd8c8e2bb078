//! `cargo xtask release`: everything that a user can download instead of compiling, in `target/release-files`.
//!
//! A static binary where Rust's musl target and a musl compiler are installed, else one for the C library of this machine, and the command
//! says which. From it an archive, a Debian package and an image in the OCI format; beside them a list of what is inside and checksums. Each
//! of these is opened again and tried before the command ends.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::contents;
use crate::failure::{Doing, Failure};
use crate::programs::{self, announce, target};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Rust's target for binaries that need no C library of the machine.
const MUSL: &str = "x86_64-unknown-linux-musl";

/// Everything that lies beside the binary in an archive.
const DOCUMENTS: &[&str] = &["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// A binary and what it needs of a machine.
struct Built {
    binary: PathBuf,
    is_static: bool,
}

/// Makes all files of a release.
pub async fn run() -> Result<(), Failure> {
    let built = build().await?;
    let files = target().join("release-files");
    emptied(&files)?;
    archive(&built, &files).await?;
    debian(&built, &files).await?;
    image(&built, &files).await?;
    contents(&built, &files).await?;
    checksums(&files).await?;
    println!("\nIn {}:", files.display());
    for file in listed(&files)? {
        let size = std::fs::metadata(&file).doing("look at a file")?.len();
        println!("{:>12}  {}", size, file.file_name().unwrap_or_default().to_string_lossy());
    }
    Ok(())
}

async fn build() -> Result<Built, Failure> {
    let installed = match programs::found("rustup") {
        Some(rustup) => programs::output(programs::program(rustup).args(["target", "list", "--installed"]))
            .await
            .unwrap_or_default(),
        None => String::new(),
    };
    let is_static = installed.lines().any(|target| target == MUSL) && programs::found("musl-gcc").is_some();
    let mut cargo = programs::cargo();
    cargo.args(["build", "--locked", "--profile", "dist", "--package", "server"]);
    let folder = if is_static {
        announce("building a static binary");
        cargo.args(["--target", MUSL]);
        target().join(MUSL)
    } else {
        announce("building for the C library of this machine");
        println!(
            "A static binary needs `rustup target add {MUSL}` and `musl-gcc` (Debian: musl-tools); this one runs where the C library is at \
             least as new as here."
        );
        target()
    };
    programs::run(&mut cargo).await?;
    let binary = folder.join("dist/kaicalls");
    let said = programs::output(programs::program(&binary).arg("--version")).await?;
    if !said.contains(VERSION) {
        return Err(Failure::Claim(format!("the binary calls itself `{}`", said.trim())));
    }
    Ok(Built { binary, is_static })
}

/// The binary with the files in `deploy/`.
async fn archive(built: &Built, files: &Path) -> Result<(), Failure> {
    announce("archive");
    let name = format!(
        "kaicalls-{VERSION}-{}-linux{}",
        std::env::consts::ARCH,
        if built.is_static { "-static" } else { "" }
    );
    let folder = tempfile::tempdir().doing("make a temporary folder")?;
    let content = folder.path().join(&name);
    std::fs::create_dir(&content).doing("make a folder")?;
    install(&built.binary, &content.join("kaicalls"), 0o755)?;
    for document in DOCUMENTS {
        install(&programs::root().join(document), &content.join(document), 0o644)?;
    }
    programs::run(programs::program("cp").args(["-r", "deploy"]).arg(content.join("deploy"))).await?;
    let archive = files.join(format!("{name}.tar.gz"));
    let mut tar = programs::program("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-C"]).arg(folder.path());
    programs::run(tar.arg("-czf").arg(&archive).arg(&name)).await?;
    let listed = programs::output(programs::program("tar").arg("-tzf").arg(&archive)).await?;
    expect(&listed, &format!("{name}/kaicalls"), &archive)
}

/// A package for Debian and Ubuntu: the binary, the unit and its user.
async fn debian(built: &Built, files: &Path) -> Result<(), Failure> {
    announce("Debian package");
    if programs::found("dpkg-deb").is_none() {
        println!("left out: `dpkg-deb` is not here");
        return Ok(());
    }
    let architecture = programs::output(programs::program("dpkg").arg("--print-architecture")).await?;
    let architecture = architecture.trim();
    let folder = tempfile::tempdir().doing("make a temporary folder")?;
    let root = folder.path().join("root");
    let source = programs::root();
    let put = |from: &Path, to: &str, mode| install(from, &root.join(to), mode);
    put(&built.binary, "usr/bin/kaicalls", 0o755)?;
    put(&source.join("deploy/systemd/kaicalls.service"), "usr/lib/systemd/system/kaicalls.service", 0o644)?;
    put(&source.join("deploy/nginx/kaicalls.conf"), "usr/share/doc/kaicalls/nginx.conf", 0o644)?;
    put(&source.join("deploy/caddy/Caddyfile"), "usr/share/doc/kaicalls/Caddyfile", 0o644)?;
    put(&source.join("docs/guides/deployment.md"), "usr/share/doc/kaicalls/deployment.md", 0o644)?;
    put(&source.join("LICENSE-MIT"), "usr/share/doc/kaicalls/copyright", 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        put(&source.join("deploy/debian").join(script), &format!("DEBIAN/{script}"), 0o755)?;
    }
    let control =
        std::fs::read_to_string(source.join("deploy/debian/control")).doing("read deploy/debian/control")?;
    let libraries =
        if built.is_static { String::new() } else { format!(", libc6 (>= {})", libc_version().await?) };
    let control = control
        .replace("@VERSION@", &format!("{VERSION}-1"))
        .replace("@ARCHITECTURE@", architecture)
        .replace("@LIBRARIES@", &libraries);
    std::fs::write(root.join("DEBIAN/control"), control).doing("write the control file")?;
    let package = files.join(format!("kaicalls_{VERSION}-1_{architecture}.deb"));
    let mut build = programs::program("dpkg-deb");
    build.args(["--build", "--root-owner-group", "-Zxz"]).arg(&root).arg(&package);
    programs::output(&mut build).await?;
    let listed = programs::output(programs::program("dpkg-deb").arg("--contents").arg(&package)).await?;
    expect(&listed, "./usr/bin/kaicalls", &package)
}

async fn libc_version() -> Result<String, Failure> {
    let told = programs::output(programs::program("ldd").arg("--version")).await?;
    let version = told.lines().next().and_then(|line| line.rsplit(' ').next()).map(str::to_owned);
    version.ok_or_else(|| Failure::Claim("ldd does not tell its version".to_owned()))
}

/// An image with the binary, certificate authorities and, unless the binary is static, the C library; nothing else. It is made without
/// a container engine, and `docker load`, `podman load` and `skopeo copy oci-archive:` read it.
async fn image(built: &Built, files: &Path) -> Result<(), Failure> {
    announce("container image");
    if programs::found("umoci").is_none() {
        programs::install("umoci").await;
    }
    if programs::found("umoci").is_none() {
        println!(
            "left out: `umoci` is not here (Debian: `apt-get install umoci`); deploy/Containerfile builds an image with Docker or Podman"
        );
        return Ok(());
    }
    let folder = tempfile::tempdir().doing("make a temporary folder")?;
    let (root, layout) = (folder.path().join("root"), folder.path().join("image"));
    fill_image(built, &root).await?;
    let reference = format!("{}:{VERSION}", layout.display());
    let umoci = || programs::program("umoci");
    programs::run(umoci().arg("init").arg("--layout").arg(&layout)).await?;
    programs::run(umoci().args(["new", "--image", &reference])).await?;
    programs::run(umoci().args(["insert", "--image", &reference]).arg(&root).arg("/")).await?;
    let mut config = umoci();
    config.args(["config", "--image", &reference, "--config.user=10001:10001", "--config.workingdir=/data"]);
    config.args(["--config.entrypoint=/usr/bin/kaicalls", "--config.cmd=serve", "--config.volume=/data"]);
    config.args([
        "--config.stopsignal=SIGTERM",
        "--config.exposedports=8080/tcp",
        "--config.exposedports=9464/tcp",
    ]);
    for variable in ["LISTEN=0.0.0.0:8080", "METRICS_LISTEN=0.0.0.0:9464", "LOG_FORMAT=json"] {
        config.arg(format!("--config.env=KAICALLS_{variable}"));
    }
    programs::run(&mut config).await?;
    programs::output(umoci().arg("gc").arg("--layout").arg(&layout)).await?;
    try_image(&reference, folder.path()).await?;
    let image = files.join(format!("kaicalls-{VERSION}-image.tar"));
    let mut tar = programs::program("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-C"]).arg(&layout);
    programs::run(tar.arg("-cf").arg(&image).arg(".")).await
}

async fn fill_image(built: &Built, root: &Path) -> Result<(), Failure> {
    install(&built.binary, &root.join("usr/bin/kaicalls"), 0o755)?;
    let authorities = Path::new("/etc/ssl/certs/ca-certificates.crt");
    install(authorities, &root.join("etc/ssl/certs/ca-certificates.crt"), 0o644)?;
    let text = |to: &str, content: &str| {
        std::fs::create_dir_all(root.join("etc")).doing("make a folder")?;
        std::fs::write(root.join(to), content).doing(format!("write {to}"))
    };
    text("etc/passwd", "root:x:0:0:root:/:/\nkaicalls:x:10001:10001::/data:/\n")?;
    text("etc/group", "root:x:0:\nkaicalls:x:10001:\n")?;
    text("etc/nsswitch.conf", "hosts: files dns\n")?;
    for (folder, mode) in [("data", 0o700), ("tmp", 0o1777)] {
        use std::os::unix::fs::PermissionsExt as _;
        let made = root.join(folder);
        std::fs::create_dir_all(&made).doing("make a folder")?;
        std::fs::set_permissions(&made, std::fs::Permissions::from_mode(mode)).doing("set rights")?;
    }
    if programs::is_root() {
        std::os::unix::fs::chown(root.join("data"), Some(10001), Some(10001)).doing("give a folder away")?;
    }
    if built.is_static {
        return Ok(());
    }
    let told = programs::output(programs::program("ldd").arg(&built.binary)).await?;
    let named = told.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from);
    // The C library opens these by itself when a name is looked up.
    let lookups = named.clone().filter(|file| file.ends_with("libc.so.6")).flat_map(|libc| {
        ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"].map(|name| libc.with_file_name(name))
    });
    for library in named.clone().chain(lookups) {
        if library.is_file() {
            let inside = root.join(library.strip_prefix("/").unwrap_or(&library));
            install(&library, &inside, 0o755)?;
        }
    }
    Ok(())
}

/// Unpacks the image and runs the binary where it sees nothing else.
async fn try_image(reference: &str, folder: &Path) -> Result<(), Failure> {
    let unpacked = folder.join("unpacked");
    let mut unpack = programs::program("umoci");
    unpack.args(["unpack", "--image", reference]);
    if !programs::is_root() {
        unpack.arg("--rootless");
    }
    programs::run(unpack.arg(&unpacked)).await?;
    if !programs::is_root() {
        println!("the image is not run: only root may look from inside of it");
        return Ok(());
    }
    let mut run: Command = programs::program("chroot");
    run.arg("--userspec=10001:10001").arg(unpacked.join("rootfs")).args(["/usr/bin/kaicalls", "--version"]);
    let said = programs::output(&mut run).await?;
    if said.contains(VERSION) {
        Ok(())
    } else {
        Err(Failure::Claim(format!("the image says `{}`", said.trim())))
    }
}

/// The list of what is inside (SBOM).
async fn contents(built: &Built, files: &Path) -> Result<(), Failure> {
    announce("list of what is inside");
    let here = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let list = files.join(format!("kaicalls-{VERSION}.cdx.json"));
    contents::write(if built.is_static { MUSL } else { &here }, VERSION, &list).await?;
    let text = std::fs::read_to_string(&list).doing("read the list")?;
    expect(&text, "pkg:cargo/libsqlite3-sys@", &list)
}

async fn checksums(files: &Path) -> Result<(), Failure> {
    let mut sum = programs::program("sha256sum");
    for file in listed(files)? {
        sum.arg(file.file_name().unwrap_or_default());
    }
    let sums = programs::output(sum.current_dir(files)).await?;
    std::fs::write(files.join("SHA256SUMS"), sums).doing("write the checksums")
}

fn listed(files: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(files).doing("list the files")?;
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn expect(listed: &str, wanted: &str, file: &Path) -> Result<(), Failure> {
    if listed.contains(wanted) {
        Ok(())
    } else {
        Err(Failure::Claim(format!("{} holds no {wanted}", file.display())))
    }
}

/// Copies a file to where it belongs, with these rights.
fn install(from: &Path, to: &Path, mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).doing(format!("make {}", folder.display()))?;
    }
    std::fs::copy(from, to).doing(format!("copy {}", from.display()))?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode))
        .doing(format!("set the rights of {}", to.display()))
}

fn emptied(folder: &Path) -> Result<(), Failure> {
    // There may be none yet.
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).doing(format!("make {}", folder.display()))
}
