//! What others' generators make of the published document: clients, made from the running server, compiled and used, and requests, which
//! the server accepts.

use std::path::Path;

use crate::failure::{Doing, Failure};
use crate::load::server::Installation;
use crate::programs::{self, announce};
use crate::sdks;

/// The generator of types for TypeScript, and the compiler that it works with.
const TYPES: [&str; 2] = ["openapi-typescript@7.13.0", "typescript@5.9.3"];

pub async fn all(python: &Path, installation: &Installation, key: &str) -> Result<(), Failure> {
    announce("clients made from the contract: openapi-python-client and openapi-typescript");
    let folder = sdks::folder("generated-clients");
    let base_url = format!("http://{}", installation.address());
    let mut client = programs::program(python);
    client
        .arg("e2e/generated_client.py")
        .arg(&folder)
        .env("KAICALLS_BASE_URL", &base_url)
        .env("KAICALLS_API_KEY", key);
    programs::run(&mut client).await?;
    types(&folder).await?;
    announce("requests made from the contract are accepted");
    let mut requests = programs::program(python.with_file_name("schemathesis"));
    requests.arg("run").arg(format!("{base_url}/api/v1/openapi.json"));
    requests.arg("--header").arg(format!("Authorization: Bearer {key}"));
    requests.env("PYTHONPATH", programs::root().join("e2e")).env("SCHEMATHESIS_HOOKS", "valid_requests");
    // What carries a session, a signed link, the name of a scripted caller or two times near each other cannot be made from a schema. A key
    // that has made another business has to name one in requests that did not need it before.
    let left_out = "session|keys|media|sandbox|backfill|workspaces";
    requests.args(["--exclude-path-regex", left_out, "--mode", "positive"]);
    requests.args([
        "--checks",
        "positive_data_acceptance",
        "--phases",
        "examples,fuzzing",
        "--max-examples",
        "60",
    ]);
    requests.args([
        "--request-timeout",
        "30",
        "--workers",
        "1",
        "--seed",
        "7",
        "--warnings",
        "off",
        "--no-color",
    ]);
    programs::run(requests.args(["--generation-database", "none"])).await
}

/// Types for TypeScript from the document that the client above was made from.
async fn types(folder: &Path) -> Result<(), Failure> {
    sdks::node().await?;
    std::fs::write(folder.join("package.json"), r#"{"type":"module","private":true}"#)
        .doing("write package.json")?;
    let mut install = vec!["install", "--no-package-lock"];
    install.extend(TYPES);
    sdks::npm(folder, &install).await?;
    let tool = |name: &str| programs::program(folder.join("node_modules/.bin").join(name));
    let mut generate = tool("openapi-typescript");
    programs::output(generate.current_dir(folder).args(["openapi.json", "--output", "v1.d.ts"])).await?;
    let program = programs::root().join("e2e/generated_types.ts");
    std::fs::copy(program, folder.join("generated_types.ts")).doing("copy the program")?;
    let mut compile = tool("tsc");
    compile.current_dir(folder).args([
        "--noEmit",
        "--strict",
        "--exactOptionalPropertyTypes",
        "--target",
        "es2022",
    ]);
    programs::run(compile.args(["--module", "nodenext", "generated_types.ts"])).await
}
