//! What `kaicalls` can be told to do, one module per word.

pub(crate) mod agents;
pub(crate) mod arguments;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod businesses;
pub(crate) mod calls;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod leads;
pub(crate) mod listen;
pub(crate) mod metrics;
pub(crate) mod moving;
pub(crate) mod numbers;
pub(crate) mod openapi;
pub(crate) mod opt_outs;
pub(crate) mod recordings;
pub(crate) mod restore;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod shell;
pub(crate) mod transcripts;
pub(crate) mod usage;
pub(crate) mod users;
pub(crate) mod webhooks;

use std::io::Read as _;

use domain::business::User;
use domain::{BusinessId, E164};
use serde_json::{Map, Value};
use store::{Platform, StoreError};

use crate::client::Client;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format};

/// Reads an argument that must be a phone number.
pub(crate) fn phone(argument: &'static str, text: &str) -> Result<E164, Failure> {
    E164::parse(text).map_err(|error| Failure::Because(format!("{argument}: {error}")))
}

/// Reads an argument that must be a JSON object.
pub(crate) fn object(argument: &'static str, text: &str) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Failure::Because(format!("{argument}: expected a JSON object"))),
        Err(error) => Err(Failure::Because(format!("{argument}: expected a JSON object; {error}"))),
    }
}

/// The fields that have a value.
pub(crate) fn fields<T: Into<Value>, const N: usize>(all: [(&str, Option<T>); N]) -> Map<String, Value> {
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read_text(argument: &'static str, file: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().read_to_string(&mut text).map(|_| text),
        file => std::fs::read_to_string(file),
    };
    read.map_err(|error| Failure::Because(format!("{argument}: {file} cannot be read: {error}")))
}

/// The business that an argument names, or the only one that there is.
pub(crate) async fn business(store: &Platform, named: Option<BusinessId>) -> Result<BusinessId, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let all = store.read(|tx| Box::pin(async move { store::businesses::all(tx).await })).await?;
    match all.as_slice() {
        [only] => Ok(only.id),
        [] => {
            Err(Failure::Because("there is no business yet; `kaicalls setup` makes the first one".to_owned()))
        }
        several => {
            let list: Vec<String> =
                several.iter().map(|business| format!("{} ({})", business.id, business.name)).collect();
            Err(Failure::Because(format!("--business: name one of {}", list.join(", "))))
        }
    }
}

/// The user whom an argument names, or the first one.
pub(crate) async fn user(store: &Platform, email: Option<String>) -> Result<User, Failure> {
    let found = store
        .read(move |tx| {
            Box::pin(async move {
                match email {
                    Some(email) => Ok::<_, StoreError>(
                        store::users::by_email(tx, &email.trim().to_lowercase()).await?.map(|(user, _)| user),
                    ),
                    None => store::users::first(tx).await,
                }
            })
        })
        .await?;
    found.ok_or_else(|| {
        Failure::Because("there is no such user; `kaicalls setup` makes the first one".to_owned())
    })
}

/// The id of the business that an argument names, or of the only one that the key can reach.
pub(crate) async fn business_of_key(client: &Client, named: Option<String>) -> Result<String, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let balance = client.get("/balance").await?;
    only(&balance["businesses"], "business_id", "--business")
}

/// The id of the agent that an argument names, or of the only one that the key can reach.
pub(crate) async fn agent_of_key(client: &Client, named: Option<String>) -> Result<String, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let agents = client.get("/agents?limit=10").await?;
    if agents["agents"].as_array().is_some_and(Vec::is_empty) {
        let problem = "there is no agent yet; `kaicalls agents create` makes one";
        return Err(Failure::Because(problem.to_owned()));
    }
    only(&agents["agents"], "id", "--agent")
}

/// Creates something of the business that an argument names, or of the only one that the key can reach, and prints its id.
pub(crate) async fn create(
    client: &Client,
    format: Format,
    path: &str,
    business: Option<String>,
    mut body: Map<String, Value>,
) -> Result<(), Failure> {
    body.insert("business_id".to_owned(), business_of_key(client, business).await?.into());
    output::made(format, &client.post(path, &body.into()).await?)
}

/// Changes what is named of the thing with this id, and prints the id.
pub(crate) async fn update(
    config: &Config,
    format: Format,
    path: &str,
    id: String,
    changes: Map<String, Value>,
) -> Result<(), Failure> {
    let body = change(id, changes)?;
    output::made(format, &Client::configured(config)?.patch(path, &body).await?)
}

/// The body of a request that changes the thing with this id. Something has to be named that should change.
pub(crate) fn change(id: String, mut changes: Map<String, Value>) -> Result<Value, Failure> {
    if changes.is_empty() {
        return Err(Failure::Because("nothing is named that should change".to_owned()));
    }
    changes.insert("id".to_owned(), id.into());
    Ok(changes.into())
}

/// The id of the only row.
fn only(rows: &Value, field: &str, argument: &str) -> Result<String, Failure> {
    let rows = rows.as_array().into_iter().flatten();
    let found: Vec<(&str, Option<&str>)> =
        rows.filter_map(|row| Some((row[field].as_str()?, row["name"].as_str()))).collect();
    match found.as_slice() {
        [(only, _)] => Ok((*only).to_owned()),
        [] => Err(Failure::Because(format!("{argument}: the key can reach none"))),
        several => {
            let list: Vec<String> = several
                .iter()
                .map(|(id, name)| match name {
                    Some(name) => format!("{id} ({})", output::printable(name)),
                    None => (*id).to_owned(),
                })
                .collect();
            Err(Failure::Because(format!("{argument}: name one of {}", list.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_argument_is_named_with_what_was_expected() {
        let said = |failure: Result<(), Failure>| failure.expect_err("it is wrong").to_string();
        assert!(said(phone("NUMBER", "512").map(drop)).starts_with("NUMBER: "));
        for text in ["[1]", "7", "\"x\"", "null", "{", ""] {
            let told = said(object("--fields", text).map(drop));
            assert!(told.starts_with("--fields: expected a JSON object"), "{text}: {told}");
        }
        let told = said(read_text("--prompt-file", "/nowhere/prompt.txt").map(drop));
        assert!(told.starts_with("--prompt-file: /nowhere/prompt.txt cannot be read: "), "{told}");
    }

    #[test]
    fn a_change_names_something_and_what_has_no_value_is_left_out() {
        let none: [(&str, Option<String>); 2] = [("name", None), ("email", None)];
        assert!(fields(none).is_empty());
        assert_eq!(
            change("7".to_owned(), Map::new()).expect_err("nothing").to_string(),
            "nothing is named that should change"
        );
        let changes = fields([("name", Some("Maria")), ("email", None), ("notes", Some(""))]);
        let body = change("7".to_owned(), changes).expect("a change");
        assert_eq!(body, json!({ "id": "7", "name": "Maria", "notes": "" }), "an empty text is a value");
    }

    #[test]
    fn what_need_not_be_named_is_the_only_one_there_is() {
        let rows = |ids: &[&str]| Value::Array(ids.iter().map(|id| json!({ "id": id })).collect());
        assert_eq!(only(&rows(&["a"]), "id", "--agent").expect("one"), "a");
        let several = only(&rows(&["a", "b"]), "id", "--agent").expect_err("two").to_string();
        assert_eq!(several, "--agent: name one of a, b");
        let named = json!([{ "id": "a", "name": "Kai" }, { "id": "b", "name": "In\u{1b}[1mtake" }]);
        let several = only(&named, "id", "--agent").expect_err("two").to_string();
        assert_eq!(several, "--agent: name one of a (Kai), b (In[1mtake)");
        for nothing in [rows(&[]), Value::Null, json!([{ "name": "no id" }])] {
            let told = only(&nothing, "id", "--agent").expect_err("none").to_string();
            assert_eq!(told, "--agent: the key can reach none");
        }
    }
}
