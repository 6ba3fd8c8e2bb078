//! What settings make of the parts.

use std::path::Path;

use domain::Mode;
use domain::agent::Model;
use speech::Chat;
use tempfile::TempDir;

use super::*;

/// 32 zeros in Base64.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// 32 ones in Base64.
const OTHER_MASTER_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn config(folder: &Path, settings: &[(&'static str, &str)]) -> Config {
    let mut config = Config::defaults();
    config.set("master_key", MASTER_KEY);
    config.set("database_url", format!("sqlite:{}", folder.join("kaicalls.db").display()));
    config.set("data_dir", folder.join("data").display().to_string());
    for (name, value) in settings {
        config.set(name, *value);
    }
    config
}

async fn app(config: &Config) -> Result<App, Failure> {
    egress::install_crypto();
    build_app(config, open_store(config, true).await?)
}

#[tokio::test]
async fn the_settings_decide_which_engines_there_are_and_which_makes_live_calls() {
    const KEY: (&str, &str) = ("vapi_api_key", "key");
    for (settings, default, vapi, takes_calls) in [
        (&[][..], None, false, false),
        (&[("live_engine", "sandbox")], Some("sandbox"), false, false),
        (&[KEY], Some("vapi"), true, true),
        (&[KEY, ("live_engine", "vapi")], Some("vapi"), true, true),
        // What runs at Vapi is still followed to its end.
        (&[KEY, ("live_engine", "sandbox")], Some("sandbox"), true, false),
        (&[KEY, ("live_engine", "none")], None, true, false),
    ] {
        let folder = folder();
        let app = app(&config(folder.path(), settings)).await.expect("valid settings");
        let engines = app.engines();
        assert_eq!(engines.default_name(Mode::Live), default, "{settings:?}");
        assert_eq!(engines.default_name(Mode::Test), Some("sandbox"), "{settings:?}");
        assert_eq!((engines.of("vapi").is_some(), engines.open("vapi").is_some()), (vapi, takes_calls));
        // A number that Vapi carries is only called from there if new calls may begin there.
        let chosen = engines.engine_for(Mode::Live, Some("vapi"), None).map(|engine| engine.name());
        assert_eq!(chosen, if takes_calls { Some("vapi") } else { default }, "{settings:?}");
    }
}

#[tokio::test]
async fn limits_and_prices_reach_the_use_cases() {
    let folder = folder();
    let config = config(
        folder.path(),
        &[
            ("public_url", "https://kai.example/"),
            ("max_concurrent_calls", "7"),
            ("allowed_countries", "44,+49"),
            ("new_number_ranges", "+1942"),
            ("calling_hours", "9-20"),
            ("recording_link_hours", "2"),
            ("delivery_concurrency", "3"),
            ("call_job_concurrency", "2"),
            ("rate_per_minute", "sandbox=60"),
            ("webhook_schedule", "0s,5s"),
        ],
    );
    let app = app(&config).await.expect("valid settings");
    let settings = app.settings();
    assert_eq!(settings.public_url, "https://kai.example");
    assert_eq!(settings.max_concurrent_calls, 7);
    assert_eq!(settings.allowed_countries, ["44", "49"]);
    let new_range = domain::E164::parse("+19425551234").expect("a number");
    assert_eq!(settings.destinations.class_of(&new_range).as_str(), "ordinary");
    assert_eq!(settings.calling_hours.to_string(), "09:00-20:00");
    assert_eq!(settings.recording_link_ttl, Duration::from_secs(7200));
    assert_eq!((settings.delivery_concurrency, settings.call_job_concurrency), (3, 2));
    assert_eq!(settings.rates.cost_cents("sandbox", Duration::from_secs(60)), 60);
    assert_eq!(settings.webhook_schedule.attempts(), 2);
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_stops_the_start_and_names_itself() {
    for (name, value) in [
        ("master_key", "short"),
        ("live_engine", "asterisk"),
        ("egress_allow", "localhost"),
        ("rate_per_minute", "free"),
        ("webhook_schedule", "soon"),
        ("max_concurrent_calls", "0"),
        ("allowed_countries", "Germany"),
        ("new_number_ranges", "1"),
        ("calling_hours", "21-8"),
        ("destinations", "no/such/file"),
        ("recording_link_hours", "0"),
        ("delivery_concurrency", "none"),
        ("call_job_concurrency", "none"),
        ("database_pool", "1"),
        ("public_url", "kai.example"),
        ("llm_base_url", "ftp://kai.example"),
        ("sandbox_scenarios", "/nowhere/at/all"),
        ("sandbox_pace", "slow"),
        ("sandbox_seed", "dice"),
        ("sandbox_recordings", "perhaps"),
    ] {
        let folder = folder();
        let refused = app(&config(folder.path(), &[(name, value)])).await;
        let Err(error) = refused else { panic!("{name} = {value} was taken") };
        let error = error.to_string();
        assert!(error.contains(&crate::config::variable(name)), "{name} = {value}: {error}");
    }
}

#[tokio::test]
async fn vapi_delivers_to_https_only_unless_it_is_an_emulator_or_brings_nothing_new() {
    const KEY: (&str, &str) = ("vapi_api_key", "key");
    const PUBLIC: (&str, &str) = ("public_url", "https://kai.example");
    for (settings, good) in [
        (&[KEY][..], false),
        (&[KEY, PUBLIC], true),
        (&[KEY, ("vapi_base_url", "http://127.0.0.1:7000")], true),
        (&[KEY, ("live_engine", "sandbox")], true),
    ] {
        let folder = folder();
        let config = config(folder.path(), settings);
        let app = app(&config).await.expect("valid settings");
        let engine = vapi_engine(&config, app.store()).expect("valid settings").expect("there is a key");
        match vapi_routes(&config, &app, &engine) {
            Ok(_) => assert!(good, "{settings:?}"),
            Err(error) => {
                assert!(!good && error.to_string().contains("KAICALLS_PUBLIC_URL"), "{settings:?}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn replicas_agree_on_what_vapi_has_to_know_and_other_installations_do_not() {
    let address = async |key: &str| {
        let folder = folder();
        let store = open_store(&config(folder.path(), &[("master_key", key)]), true).await.expect("it opens");
        (webhook_token(&store), derived(&store, "vapi-webhook-secret"))
    };
    let (token, secret) = address(MASTER_KEY).await;
    assert_eq!((token.len(), secret.len()), (32, 64));
    assert!(!secret.starts_with(&token), "the address says nothing of the secret");
    assert_eq!(address(MASTER_KEY).await, (token.clone(), secret.clone()));
    let (other_token, other_secret) = address(OTHER_MASTER_KEY).await;
    assert!(other_token != token && other_secret != secret);
}

#[tokio::test]
async fn without_a_key_there_is_no_vapi_and_no_route_for_it() {
    let folder = folder();
    let config = config(folder.path(), &[]);
    let app = app(&config).await.expect("valid settings");
    assert!(vapi_engine(&config, app.store()).expect("valid settings").is_none());
}

fn chat(provider: &str) -> Chat {
    Chat {
        model: Model { provider: provider.to_owned(), ..Model::default() },
        messages: Vec::new(),
        tools: Vec::new(),
        json_schema: None,
        max_tokens: 10,
        facts: Vec::new(),
    }
}

#[test]
fn an_endpoint_thinks_for_agents_and_reads_calls_except_for_those_that_want_the_receptionist() {
    let folder = folder();
    let without = mind(&config(folder.path(), &[])).expect("valid settings");
    assert_eq!((without.model.name(), without.analyst.is_some()), ("receptionist", false));
    let endpoint = config(folder.path(), &[("llm_base_url", "http://127.0.0.1:11434/v1")]);
    let with = mind(&endpoint).expect("valid settings");
    assert_eq!((with.model.name(), with.analyst.is_some()), ("per-agent", true));
    let model = Arc::new(language_model(&endpoint).expect("valid settings").expect("there is one"));
    let per_agent = PerAgent { model };
    assert_eq!(per_agent.choose(&chat("receptionist")).name(), "receptionist");
    assert_eq!(per_agent.choose(&chat("openai")).name(), "openai-compatible");
}

#[tokio::test]
async fn rows_of_usage_that_a_process_left_are_taken_in_when_the_next_one_starts() {
    let folder = folder();
    let config = config(folder.path(), &[]);
    let usage = config.data_dir().join("usage");
    std::fs::create_dir_all(&usage).expect("a writable folder");
    let left = usage.join("1-1.jsonl");
    std::fs::write(&left, "cut sho").expect("a writable folder");
    let app = app(&config).await.expect("valid settings");
    build_api(&config, app).await.expect("valid settings");
    assert!(!left.exists(), "what was left has been read, and the file is gone");
}

#[tokio::test]
async fn commands_look_into_the_database_beside_a_server_and_a_second_server_does_not() {
    let folder = folder();
    let config = config(folder.path(), &[]);
    let server = open_store(&config, true).await.expect("the first one");
    assert!(open_store(&config, false).await.is_ok());
    let refused = open_store(&config, true).await.expect_err("the second server is refused").to_string();
    assert!(refused.contains("in use"), "{refused}");
    drop(server);
    open_store(&config, true).await.expect("free again");
}
