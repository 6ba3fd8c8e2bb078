//! The list of what is inside the released binary (SBOM), in the CycloneDX format: every crate that is linked into it, with version, licence
//! and checksum, and which of them uses which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::{Doing, Failure};
use crate::programs;

/// Where cargo says that a crate was downloaded from its registry.
const REGISTRY: &str = "registry+";

/// Writes the list for a target of the compiler.
pub async fn write(target: &str, version: &str, file: &Path) -> Result<(), Failure> {
    let mut cargo = programs::cargo();
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target]);
    let metadata: Value = serde_json::from_str(&programs::output(&mut cargo).await?)
        .map_err(|error| Failure::Claim(format!("cargo's metadata cannot be read: {error}")))?;
    let lock = std::fs::read_to_string(programs::root().join("Cargo.lock")).doing("read Cargo.lock")?;
    let list = list(&metadata, &checksums(&lock), version)?;
    std::fs::write(file, format!("{list:#}\n")).doing(format!("write {}", file.display()))
}

fn list(
    metadata: &Value,
    checksums: &BTreeMap<(String, String), String>,
    version: &str,
) -> Result<Value, Failure> {
    let packages: BTreeMap<&str, &Value> =
        items(&metadata["packages"]).filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let uses = linked(metadata);
    let server = packages.iter().find(|(_, package)| package["name"] == "server").map(|(id, _)| *id);
    let server = server.ok_or_else(|| Failure::Claim("there is no package `server`".to_owned()))?;
    let mut inside = BTreeSet::new();
    let mut open = vec![server];
    while let Some(id) = open.pop() {
        if inside.insert(id) {
            open.extend(uses.get(id).into_iter().flatten());
        }
    }
    let name = |id: &str| reference(packages[id]);
    let components = inside.iter().filter(|id| **id != server).map(|id| component(packages[id], checksums));
    let dependencies = inside.iter().map(|id| {
        let depends_on: BTreeSet<String> =
            uses.get(id).into_iter().flatten().map(|used| name(used)).collect();
        json!({ "ref": name(id), "dependsOn": depends_on })
    });
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": name(server), "name": "kaicalls", "version": version,
            "licenses": [{ "expression": packages[server]["license"] }],
        } },
        "components": components.collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

/// Which package links which into its program; what only builds or tests it stays out.
fn linked(metadata: &Value) -> BTreeMap<&str, Vec<&str>> {
    let nodes = items(&metadata["resolve"]["nodes"]);
    nodes
        .filter_map(|node| {
            let used = items(&node["deps"])
                .filter(|used| items(&used["dep_kinds"]).any(|kind| kind["kind"].is_null()))
                .filter_map(|used| used["pkg"].as_str());
            Some((node["id"].as_str()?, used.collect()))
        })
        .collect()
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (&package["name"], &package["version"]);
    let mut component = json!({
        "type": "library", "bom-ref": reference(package), "name": name, "version": version,
    });
    if package["source"].as_str().is_some_and(|source| source.starts_with(REGISTRY)) {
        component["purl"] = json!(reference(package));
    }
    if let Some(licence) = package["license"].as_str() {
        // Some still write a slash where the format wants `OR`.
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    let known = (text(name).to_owned(), text(version).to_owned());
    if let Some(checksum) = checksums.get(&known) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

fn reference(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
}

/// The checksums in a lock file, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.map(|quoted| quoted.trim_matches('"').to_owned())
    };
    let blocks = lock.split("[[package]]");
    blocks
        .filter_map(|block| {
            Some(((value(block, "name")?, value(block, "version")?), value(block, "checksum")?))
        })
        .collect()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_listed_once_with_licence_and_checksum_and_what_only_tests_is_not() {
        let package = |name: &str, source: Value| json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0", "source": source });
        let uses = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let registry = json!("registry+https://example.com/index");
        let metadata = json!({
            "packages": [
                package("server", Value::Null), package("inside", registry.clone()),
                package("deeper", registry.clone()), package("tester", registry),
            ],
            "resolve": { "nodes": [
                { "id": "server", "deps": [uses("inside", Value::Null), uses("tester", json!("dev"))] },
                { "id": "inside", "deps": [uses("deeper", Value::Null)] },
                { "id": "deeper", "deps": [] },
            ] },
        });
        let lock = "[[package]]\nname = \"inside\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n";
        let list = list(&metadata, &checksums(lock), "0.1.0").expect("a list");
        let names: Vec<&str> = items(&list["components"]).map(|component| text(&component["name"])).collect();
        assert_eq!(names, ["deeper", "inside"]);
        let inside = &list["components"][1];
        assert_eq!(inside["purl"], "pkg:cargo/inside@1.0.0");
        assert_eq!(inside["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(inside["hashes"][0]["content"], "abc");
        assert_eq!(list["dependencies"][2]["dependsOn"], json!(["pkg:cargo/inside@1.0.0"]));
    }
}
