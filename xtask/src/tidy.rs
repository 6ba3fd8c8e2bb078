//! `cargo xtask tidy`: the rules of ARCHITECTURE.md that a compiler cannot see.
//!
//! Each rule names its offenders by file and line, so that the way out is plain. A rule that has nothing to look at yet (no generated
//! contract, say) passes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::{Doing, Failure};
use crate::modules;
use crate::programs::{self, announce};

/// The allowed edges between our crates. `server` and `testkit` may use all; only tests may use `testkit`.
const EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("speech", &["domain"]),
    ("sip", &[]),
    ("sipp", &[]),
    ("baresip", &[]),
    ("media", &[]),
    ("rtp", &[]),
    ("factors", &[]),
    ("egress", &[]),
    ("meters", &[]),
    ("conversation", &["domain", "speech", "understanding"]),
    ("store", &["domain", "meters"]),
    ("webhooks", &["domain"]),
    ("app", &["domain", "store", "webhooks", "egress", "factors", "meters", "speech", "understanding"]),
    ("web", &["domain", "store", "app", "meters"]),
    ("api", &["web", "domain", "store", "app"]),
    ("mcp", &["web", "domain", "store", "app"]),
    ("dashboard", &["web", "domain", "store", "app", "factors", "media"]),
    ("providers", &["domain", "speech", "egress", "media", "meters", "understanding"]),
    ("vapi", &["domain", "egress", "media", "meters"]),
    ("voice", &["domain", "speech", "sip", "rtp", "media", "meters", "conversation", "agent"]),
    ("agent", &["domain", "speech", "conversation", "understanding"]),
    ("sandbox", &["domain", "speech", "media", "conversation", "agent"]),
    ("understanding", &[]),
    ("xtask", &["understanding"]),
];

/// Crates that decide and never act: no IO, no clock, no randomness.
const PURE: &[&str] =
    &["domain", "webhooks", "speech", "media", "rtp", "conversation", "agent", "understanding", "factors"];

/// What a pure crate's dependency tree may not hold.
const IMPURE: &[&str] = &[
    "tokio",
    "mio",
    "async-std",
    "smol",
    "hyper",
    "reqwest",
    "ureq",
    "rusqlite",
    "libsqlite3-sys",
    "tokio-postgres",
    "deadpool-postgres",
    "sqlx",
    "rand",
];

/// Crates behind a gate, and who stands at it.
const GATED: &[(&str, &[&str])] = &[
    ("reqwest", &["egress", "testkit"]),
    ("ureq", &[]),
    ("tokio-tungstenite", &["egress", "testkit"]),
    ("rusqlite", &["store", "testkit", "xtask"]),
    ("tokio-postgres", &["store", "testkit", "xtask"]),
    ("deadpool-postgres", &["store"]),
    ("metrics", &["meters"]),
];

/// Circles that are known, each by the modules in it and with the reason why it stands; the list may only get shorter.
const KNOWN_CIRCLES: &[(&str, &[&str], &str)] = &[
    (
        "api",
        &["", "answer", "caller", "idempotency", "openapi", "options", "route", "router", "session", "v1"],
        "the table of routes names the handlers, and handlers are given the API, which holds the table",
    ),
    ("web", &["input"], "a description of fields may hold other descriptions"),
    ("server", &["config", "failure"], "a failure names the setting that was wrong"),
    (
        "store",
        &["", "migrate", "platform"],
        "opening the database migrates it and hands out the platform's access, and both work on an open database",
    ),
    ("store", &["postgres", "tx"], "a transaction is an enum of both databases' connections"),
    ("testkit", &["vapi"], "the parts of the emulator share its state"),
];

/// What one place alone may do, and where that place is: a gate is none if there is a way around it.
const GATES: &[Gate] = &[
    Gate {
        code: ".place(",
        what: "asks an engine to dial",
        crates: &["api", "app", "dashboard", "mcp", "server", "web"],
        place: "crates/app/src/calls/dial.rs",
    },
    Gate {
        code: "impl CallObserver for",
        what: "takes the reports of engines",
        crates: &["api", "app", "dashboard", "mcp", "server", "web"],
        place: "crates/app/src/calls/intake.rs",
    },
    Gate {
        code: "impl CallDesk for",
        what: "takes the messages of engines that run elsewhere",
        crates: &["api", "app", "dashboard", "mcp", "server", "web"],
        place: "crates/app/src/desk.rs",
    },
];

/// Something that one place alone may do.
struct Gate {
    code: &'static str,
    what: &'static str,
    crates: &'static [&'static str],
    place: &'static str,
}

/// Crates that write no JSON for clients: that is the business of `api` and `webhooks`.
const NO_WIRE_JSON: &[&str] = &["app", "store"];

/// What a crate may not depend on although others may. `app` passes typed values on and never writes JSON.
const WITHOUT: &[(&str, &str)] = &[("app", "serde_json")];

/// Vendors are known to their adapters and to the wiring, and to nobody else.
const VENDORS: &[&str] = &["vapi", "openai", "anthropic", "deepgram", "elevenlabs", "twilio", "cartesia"];

/// A file longer than this is looking for its seam.
const LONG_FILE: usize = 700;

/// Checks every rule and lists what breaks them.
pub async fn check() -> Result<(), Failure> {
    announce("architecture rules");
    let mut findings = Findings::default();
    let crates = workspace().await?;
    edges(&crates, &mut findings);
    let map =
        std::fs::read_to_string(programs::root().join("ARCHITECTURE.md")).doing("read ARCHITECTURE.md")?;
    edges_of_the_map(&map, &mut findings);
    unused_dependencies(&crates, &mut findings)?;
    for package in crates.iter().filter(|package| PURE.contains(&package.name.as_str())) {
        purity(package, &mut findings).await?;
    }
    for package in &crates {
        circles(package, &mut findings)?;
        for file in sources(&package.folder)? {
            let text = std::fs::read_to_string(&file).doing(format!("read {}", file.display()))?;
            let file = file.strip_prefix(programs::root()).unwrap_or(&file).display().to_string();
            every_file_says_why(&file, &text, &mut findings);
            contents(&package.name, &file, &text, &mut findings);
            whose_data(&package.name, &file, &text, &mut findings);
        }
    }
    if !crate::codegen::understanding_is_current() {
        findings.broken("docs/reference/understanding.md does not show today's figures; `cargo xtask understanding --write`");
    }
    findings.report()
}

#[derive(Default)]
struct Findings {
    broken: Vec<String>,
    warnings: Vec<String>,
}

impl Findings {
    fn broken(&mut self, what: impl Into<String>) {
        self.broken.push(what.into());
    }

    fn report(self) -> Result<(), Failure> {
        for warning in &self.warnings {
            println!("warning: {warning}");
        }
        for broken in &self.broken {
            println!("broken: {broken}");
        }
        if self.broken.is_empty() {
            println!("tidy");
            Ok(())
        } else {
            Err(Failure::Rules(self.broken.len()))
        }
    }
}

/// One of our crates as cargo sees it.
struct Package {
    name: String,
    folder: PathBuf,
    /// What it is built with.
    dependencies: BTreeSet<String>,
    /// What only its tests are built with.
    test_dependencies: BTreeSet<String>,
}

async fn workspace() -> Result<Vec<Package>, Failure> {
    let text = programs::output(programs::cargo().args([
        "metadata",
        "--format-version=1",
        "--no-deps",
        "--offline",
    ]))
    .await?;
    let metadata: Value = serde_json::from_str(&text).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    Ok(packages.iter().map(package).collect())
}

fn package(described: &Value) -> Package {
    let manifest = Path::new(described["manifest_path"].as_str().expect("a package has a manifest"));
    let mut package = Package {
        name: described["name"].as_str().expect("a package has a name").to_owned(),
        folder: manifest.parent().expect("a manifest lies in a folder").to_owned(),
        dependencies: BTreeSet::new(),
        test_dependencies: BTreeSet::new(),
    };
    for dependency in described["dependencies"].as_array().into_iter().flatten() {
        let name = dependency["name"].as_str().expect("a dependency has a name").to_owned();
        if dependency["kind"] == "dev" {
            package.test_dependencies.insert(name);
        } else {
            package.dependencies.insert(name);
        }
    }
    package
}

/// The edges of the table, and the gates, are the only ones.
fn edges(crates: &[Package], findings: &mut Findings) {
    let ours: BTreeSet<&str> = crates.iter().map(|package| package.name.as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    for package in crates {
        let name = package.name.as_str();
        for dependency in package.dependencies.iter().map(String::as_str) {
            if let Some((_, keepers)) = GATED.iter().find(|(gated, _)| *gated == dependency)
                && !keepers.contains(&name)
            {
                findings.broken(format!(
                    "{name} depends on {dependency}, which belongs to {}",
                    keepers.join(", ")
                ));
            }
            if WITHOUT.contains(&(name, dependency)) {
                findings.broken(format!("{name} may not depend on {dependency}"));
            }
            if !ours.contains(dependency) || name == "testkit" {
                continue;
            }
            if dependency == "testkit" {
                findings.broken(format!("{name} depends on testkit outside its tests"));
            } else if name != "server" && !allowed.get(name).is_some_and(|edges| edges.contains(&dependency))
            {
                findings.broken(format!("{name} may not depend on {dependency}"));
            }
        }
    }
}

/// The edges that ARCHITECTURE.md lists are those that are checked.
fn edges_of_the_map(map: &str, findings: &mut Findings) {
    let drawn = drawn_edges(map);
    if drawn.is_empty() {
        findings.broken("ARCHITECTURE.md: the list of all edges is not where it was");
    }
    for (from, to) in drawn {
        if matches!(from.as_str(), "server" | "testkit") {
            continue;
        }
        let allowed: BTreeSet<&str> = EDGES
            .iter()
            .filter(|(name, _)| *name == from)
            .flat_map(|(_, edges)| edges.iter().copied())
            .collect();
        if allowed != to.iter().map(String::as_str).collect() {
            findings.broken(format!("ARCHITECTURE.md: the edges of {from} are not those that tidy allows"));
        }
    }
}

/// Reads lines such as `a, b -> c, d       e -> f` after the words that announce them.
fn drawn_edges(map: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges = BTreeMap::new();
    let Some((_, after)) = map.split_once("The edges, all of them:") else { return edges };
    let block = after.split("```").nth(1).unwrap_or_default();
    for line in block.lines() {
        let mut parts = line.split("->");
        let mut from = parts.next().unwrap_or_default().trim().to_owned();
        for part in parts {
            let part = part.trim_end();
            let (to, next) = part.rsplit_once("   ").map_or((part, ""), |(to, next)| (to, next));
            let words = |text: &str| -> BTreeSet<String> {
                text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
            };
            let to: BTreeSet<String> =
                if to.trim() == "nothing of ours" { BTreeSet::new() } else { words(to) };
            edges.extend(words(&from).into_iter().map(|name| (name, to.clone())));
            next.trim().clone_into(&mut from);
        }
    }
    edges
}

/// Packages whose library is named otherwise.
const LIBRARIES: &[(&str, &str)] = &[("rustls-webpki", "webpki")];

/// A dependency nobody names costs compile time and says something untrue.
fn unused_dependencies(crates: &[Package], findings: &mut Findings) -> Result<(), Failure> {
    for package in crates {
        let mut text = String::new();
        for file in sources(&package.folder)? {
            text += &std::fs::read_to_string(&file).doing(format!("read {}", file.display()))?;
        }
        for dependency in package.dependencies.iter().chain(&package.test_dependencies) {
            let library = LIBRARIES.iter().find(|(package, _)| *package == dependency.as_str());
            if !mentions(&text, &library.map_or(dependency.as_str(), |(_, name)| name).replace('-', "_")) {
                findings.warnings.push(format!("{} does not use its dependency {dependency}", package.name));
            }
        }
    }
    Ok(())
}

/// Whether a text holds a word, not merely as a part of a longer one.
fn mentions(text: &str, word: &str) -> bool {
    let part_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(part_of_word) && !text[start + word.len()..].starts_with(part_of_word)
    })
}

/// A pure crate sees nothing that acts, and reads neither clock nor dice.
async fn purity(package: &Package, findings: &mut Findings) -> Result<(), Failure> {
    let name = package.name.as_str();
    let mut question = programs::cargo();
    question.args([
        "tree",
        "--offline",
        "--package",
        name,
        "--edges=normal",
        "--prefix=none",
        "--format={p}",
    ]);
    let tree = programs::output(&mut question).await?;
    let seen: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    for impure in IMPURE.iter().filter(|impure| seen.contains(*impure)) {
        findings.broken(format!("{name} is pure, yet {impure} is in its dependency tree"));
    }
    for file in sources(&package.folder.join("src"))? {
        let text = std::fs::read_to_string(&file).doing(format!("read {}", file.display()))?;
        for (number, line) in code_lines(&text) {
            for call in [
                "Instant::now",
                "SystemTime::now",
                "Timestamp::now",
                "Uuid::new_v4",
                "Uuid::now_v7",
                "std::fs",
                "std::net",
            ] {
                if line.contains(call) {
                    findings
                        .broken(format!("{}:{number}: {name} is pure, yet it says {call}", file.display()));
                }
            }
        }
    }
    Ok(())
}

/// The modules of a crate use one another in one direction only.
fn circles(package: &Package, findings: &mut Findings) -> Result<(), Failure> {
    let folder = package.folder.join("src");
    let mut files = Vec::new();
    for file in sources(&folder)? {
        let text = std::fs::read_to_string(&file).doing(format!("read {}", file.display()))?;
        files.push((file.strip_prefix(&folder).unwrap_or(&file).to_owned(), text));
    }
    let files: Vec<(&Path, &str)> =
        files.iter().map(|(path, text)| (path.as_path(), text.as_str())).collect();
    match modules::circles(&files) {
        Ok(circles) => {
            for circle in circles {
                if is_known(&package.name, &circle) {
                    continue;
                }
                findings.broken(format!(
                    "{}: modules use one another in a circle:\n          {}",
                    package.name,
                    circle.arrows.join("\n          ")
                ));
            }
        }
        Err(file) => findings.broken(format!("{}: {file} cannot be read as Rust", package.name)),
    }
    Ok(())
}

fn is_known(package: &str, circle: &modules::Circle) -> bool {
    let lies_in = |module: &str, name: &str| {
        module == name || (!name.is_empty() && module.starts_with(&format!("{name}::")))
    };
    KNOWN_CIRCLES.iter().any(|(known, names, _)| {
        *known == package
            && circle.modules.iter().all(|module| names.iter().any(|name| lies_in(module, name)))
    })
}

fn every_file_says_why(file: &str, text: &str, findings: &mut Findings) {
    if !text.starts_with("//!") {
        findings.broken(format!("{file}: opens without saying why it exists (`//!`)"));
    }
    let lines = text.lines().count();
    if lines > LONG_FILE {
        findings.warnings.push(format!("{file}: {lines} lines; where is its seam?"));
    }
}

/// SQL stands only in `store`, vendors' names only in their adapters.
fn contents(name: &str, file: &str, text: &str, findings: &mut Findings) {
    if matches!(name, "xtask" | "testkit") {
        return;
    }
    let in_tests = file.contains("/tests/");
    for (number, line) in code_lines(text) {
        if name != "store" && !in_tests && is_sql(line) {
            findings.broken(format!("{file}:{number}: SQL outside store"));
        }
        if NO_WIRE_JSON.contains(&name) && !in_tests && line.contains("json!") {
            findings.broken(format!(
                "{file}:{number}: {name} writes JSON by hand; what clients see is made in api and webhooks"
            ));
        }
        for gate in GATES {
            if gate.crates.contains(&name) && !in_tests && file != gate.place && line.contains(gate.code) {
                findings.broken(format!("{file}:{number}: only {} {}", gate.place, gate.what));
            }
        }
        let known_here = matches!(name, "providers" | "vapi" | "server" | "sandbox");
        if let Some(vendor) = vendor(line)
            && !known_here
            && !in_tests
        {
            findings.broken(format!("{file}:{number}: {name} knows the vendor {vendor}"));
        }
    }
}

/// The vendor a line of code names, apart from the names that the public API itself fixed.
fn vendor(line: &str) -> Option<&'static str> {
    // The field `vapi_assistant_id` fixes whose id it shows, so its query names the engine.
    let fixed = [
        "vapi_assistant_id",
        "vapi_config",
        "vapi_error",
        "vapierror",
        "x-vapi-",
        "engine = 'vapi'",
        "when $2 = 'vapi'",
        "and $2 = 'vapi'",
        "provider: \"openai\"",
    ];
    let line = fixed.iter().fold(line.to_lowercase(), |line, name| line.replace(name, ""));
    VENDORS.iter().copied().find(|vendor| line.contains(vendor))
}

/// Every query of a table's module is a tenant's, with their `Tenancy`, or the platform's own; and the platform's own way to the data
/// is known to the use cases, to whoever joins the parts, and to no entry.
fn whose_data(name: &str, file: &str, text: &str, findings: &mut Findings) {
    if name == "store" && file.contains("/src/") {
        for (number, function) in functions_for_nobody(text) {
            findings.broken(format!(
                "{file}:{number}: {function} takes neither a Tenancy nor a PlatformTx: whose rows may it see?"
            ));
        }
    }
    if matches!(name, "store" | "app" | "server" | "testkit" | "xtask") || file.contains("/tests/") {
        return;
    }
    for (number, line) in code_lines(text) {
        if mentions(line, "PlatformTx") || line.contains("store::Platform") {
            findings.broken(format!("{file}:{number}: {name} asks for everybody's rows, which is up to app"));
        }
    }
}

/// The public asynchronous functions of a module whose arguments do not say whose data they are about. Methods are not meant: they
/// belong to a type that was handed out for its purpose.
fn functions_for_nobody(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<(usize, &str)> = code_lines(text).collect();
    let begins = |line: &str| line.starts_with("pub async fn ");
    let starts = lines.iter().enumerate().filter(|(_, (_, line))| begins(line));
    let mut found = Vec::new();
    for (index, (number, first)) in starts {
        let end = lines[index..]
            .iter()
            .position(|(_, line)| line.ends_with('{'))
            .map_or(lines.len(), |end| index + end + 1);
        let signature: String = lines[index..end].iter().map(|(_, line)| *line).collect();
        if !["Tenancy", "PlatformTx", "Platform"].iter().any(|word| mentions(&signature, word)) {
            let name = first.trim_start_matches("pub async fn ").split(['(', '<']).next().unwrap_or(first);
            found.push((*number, name.to_owned()));
        }
    }
    found
}

fn is_sql(line: &str) -> bool {
    line.contains("INSERT INTO ")
        || line.contains("DELETE FROM ")
        || (line.contains("SELECT ") && line.contains('"'))
        || (line.contains("UPDATE ") && line.contains(" SET "))
}

/// The lines that are code, with their numbers; a `mod tests` closes the file by our convention.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Rust files below a folder.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).doing(format!("list {}", folder.display()))? {
            let path = entry.doing(format!("list {}", folder.display()))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{
        Findings, code_lines, contents, drawn_edges, functions_for_nobody, is_known, is_sql, mentions,
        vendor, whose_data,
    };
    use crate::modules::Circle;

    fn broken(name: &str, file: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        contents(name, file, text, &mut findings);
        findings.broken
    }

    #[test]
    fn json_by_hand_is_refused_in_app_and_store_and_nowhere_else() {
        let text = "fn f() -> Value {\n    json!({})\n}\n";
        let refused = broken("store", "crates/store/src/calls.rs", text);
        assert!(refused.len() == 1 && refused[0].starts_with("crates/store/src/calls.rs:2:"), "{refused:?}");
        assert_eq!(broken("app", "crates/app/src/calls/log.rs", text).len(), 1);
        assert!(broken("api", "crates/api/src/v1/calls.rs", text).is_empty());
        assert!(broken("store", "crates/store/tests/it/main.rs", text).is_empty());
        let in_tests = "fn f() {}\n#[cfg(test)]\nmod tests { fn t() { json!({}); } }\n";
        assert!(broken("store", "crates/store/src/calls.rs", in_tests).is_empty());
    }

    #[test]
    fn an_engine_is_asked_to_dial_in_one_place_only() {
        let text = "async fn f() {\n    engine.place(plan, observer).await\n}\n";
        assert!(broken("app", "crates/app/src/calls/dial.rs", text).is_empty());
        assert_eq!(broken("app", "crates/app/src/desk.rs", text).len(), 1);
        assert_eq!(broken("api", "crates/api/src/v1/calls.rs", text).len(), 1);
        let observer = "impl CallObserver for Second {}\n";
        assert_eq!(broken("server", "crates/server/src/wiring.rs", observer).len(), 1);
        assert!(broken("app", "crates/app/src/calls/intake.rs", observer).is_empty());
    }

    #[test]
    fn a_known_circle_excuses_no_other_module() {
        let circle = |modules: &[&str]| Circle {
            modules: modules.iter().map(ToString::to_string).collect(),
            arrows: Vec::new(),
        };
        assert!(is_known("store", &circle(&["postgres", "tx"])));
        assert!(!is_known("store", &circle(&["postgres", "tx", "calls"])));
        assert!(!is_known("app", &circle(&["postgres", "tx"])));
        assert!(!is_known("store", &circle(&["", "migrate", "calls"])));
    }

    #[test]
    fn edges_are_read_from_the_map() {
        let map = "The edges, all of them:\n\n```\na, b   -> nothing of ours     c -> a\nd      -> a, b, c             e  -> d\n```\n";
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let expected = BTreeMap::from([
            ("a".to_owned(), names(&[])),
            ("b".to_owned(), names(&[])),
            ("c".to_owned(), names(&["a"])),
            ("d".to_owned(), names(&["a", "b", "c"])),
            ("e".to_owned(), names(&["d"])),
        ]);
        assert_eq!(drawn_edges(map), expected);
        assert!(drawn_edges("# Nothing here").is_empty());
    }

    #[test]
    fn a_longer_word_does_not_count_as_a_mention() {
        assert!(mentions("use http::Method;", "http"));
        assert!(!mentions("use http_body_util::Full;", "http"));
        assert!(!mentions("use tower_http::cors;", "http"));
    }

    #[test]
    fn sql_is_told_from_prose() {
        assert!(is_sql(r#"tx.query("SELECT id FROM calls", &[])"#));
        assert!(is_sql("INSERT INTO calls (id) VALUES ($1)"));
        assert!(!is_sql("let update = UPDATE;"));
    }

    #[test]
    fn names_that_the_public_api_fixed_are_no_vendors() {
        assert_eq!(vendor("pub vapi_assistant_id: Option<String>,"), None);
        assert_eq!(vendor(r#"provider: "openai".into(),"#), None);
        assert_eq!(vendor("let url = \"https://api.openai.com\";"), Some("openai"));
    }

    #[test]
    fn a_query_says_whose_rows_it_may_see() {
        let text = "pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: LeadId) -> Result<Lead, StoreError> {\n\
                    pub async fn purge(\n    tx: &mut PlatformTx,\n    before: Timestamp,\n) -> Result<(), StoreError> {\n\
                    pub async fn claim(platform: &Platform) -> Result<(), StoreError> {\n\
                    pub async fn count(tx: &mut Tx, id: CallId) -> Result<u64, StoreError> {\n\
                    pub async fn list<T>(\n    tx: &mut Tx,\n    user: UserId,\n) -> Result<T, StoreError> {\n\
                    pub(crate) async fn inner(tx: &mut Tx) {\n    pub async fn method(&self) {\n";
        assert_eq!(functions_for_nobody(text), [(7, "count".to_owned()), (8, "list".to_owned())]);
    }

    #[test]
    fn entries_do_not_ask_for_everybodys_rows() {
        let broken = |name: &str, file: &str, text: &str| {
            let mut findings = Findings::default();
            whose_data(name, file, text, &mut findings);
            findings.broken.len()
        };
        let route = "async fn route(tx: &mut store::PlatformTx) {}\nlet all: &store::Platform = todo;\n";
        assert_eq!(broken("api", "crates/api/src/v1/calls.rs", route), 2);
        assert_eq!(broken("app", "crates/app/src/leads.rs", route), 0);
        assert_eq!(broken("api", "crates/api/tests/contract.rs", route), 0);
        let query = "pub async fn count(tx: &mut Tx) -> u64 {\n";
        assert_eq!(broken("store", "crates/store/src/leads.rs", query), 1);
    }

    #[test]
    fn comments_and_tests_are_no_code() {
        let text = "//! doc\nfn a() {}\n// note\nfn b() {}\n#[cfg(test)]\nmod tests {}\n";
        assert_eq!(code_lines(text).collect::<Vec<_>>(), [(2, "fn a() {}"), (4, "fn b() {}")]);
    }
}
