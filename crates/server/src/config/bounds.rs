//! Tests of the settings one by one: which values each takes, what a refused one says, and that what applies by default is good.

use std::collections::BTreeSet;

use app::Retention;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::table::distance;
use super::*;

fn with(name: &'static str, value: &str) -> Config {
    let mut config = Config::defaults();
    config.set(name, value);
    config
}

/// How a number is read from the settings.
type Read = fn(&Config) -> Result<u64, Failure>;

/// Every setting that is a number, how it is read, and the least and the most that it may be.
const NUMBERS: [(&str, Read, u64, u64); 19] = [
    ("max_concurrent_calls", |c| c.max_concurrent_calls().map(u64::from), 1, 1_000_000),
    ("rate_limit_calls", |c| c.rate_limits().map(|limits| limits.place_call.into()), 1, 1_000_000),
    ("rate_limit_agents_create", |c| c.rate_limits().map(|limits| limits.create_agent.into()), 1, 1_000_000),
    ("rate_limit_agents_update", |c| c.rate_limits().map(|limits| limits.change_agent.into()), 1, 1_000_000),
    ("rate_limit_reads", |c| c.rate_limits().map(|limits| limits.read.into()), 1, 1_000_000),
    ("rate_limit_writes", |c| c.rate_limits().map(|limits| limits.write.into()), 1, 1_000_000),
    ("rate_limit_logins", |c| c.rate_limits().map(|limits| limits.login.into()), 1, 1_000_000),
    ("signups_per_hour", |c| c.rate_limits().map(|limits| limits.signup.into()), 0, 1_000_000),
    ("recording_link_hours", |c| c.recording_link_ttl().map(|ttl| ttl.as_secs() / 3600), 1, 8760),
    ("database_pool", |c| c.database_pool().map(|size| size as u64), 2, 1000),
    ("delivery_concurrency", |c| c.delivery_concurrency().map(|count| count as u64), 1, 10_000),
    ("call_job_concurrency", |c| c.call_job_concurrency().map(|count| count as u64), 1, 10_000),
    ("max_connections", |c| c.max_connections().map(|count| count as u64), 1, 1_000_000),
    (
        "max_connections_per_address",
        |c| c.max_connections_per_address().map(|count| count as u64),
        1,
        1_000_000,
    ),
    ("voice_max_concurrent_calls", |c| c.voice_max_concurrent_calls().map(u64::from), 1, 10_000),
    ("voice_ring_seconds", |c| c.voice_rings_for().map(|time| time.as_secs()), 5, 180),
    ("unready_seconds", |c| c.unready().map(|time| time.as_secs()), 0, 3600),
    ("drain_seconds", |c| c.drain().map(|time| time.as_secs()), 0, 86_400),
    (
        "vapi_max_concurrent_calls",
        |c| {
            let mut config = c.clone();
            config.set("vapi_api_key", "key");
            config.vapi().map(|vapi| vapi.expect("there is a key").max_concurrent_calls.into())
        },
        1,
        100_000,
    ),
];

#[test]
fn every_number_reaches_its_own_reader_and_is_refused_outside_of_its_bounds() {
    for (name, read, least, most) in NUMBERS {
        for good in [least, u64::midpoint(least, most), most] {
            assert_eq!(read(&with(name, &format!(" {good} "))).expect(name), good, "{name}");
        }
        let below = least.checked_sub(1).map(|number| number.to_string());
        let wrong = ["", "x", "-1", "1.5", "1 2", "4294967296"].map(str::to_owned);
        for value in wrong.into_iter().chain(below).chain([(most + 1).to_string()]) {
            let error = read(&with(name, &value)).expect_err(name).to_string();
            assert!(error.contains(&variable(name)) && error.contains(name), "{name} = {value}: {error}");
            assert!(error.contains(&format!("from {least} to {most}")), "{name} = {value}: {error}");
        }
    }
}

#[test]
fn every_default_is_good_and_only_the_master_key_has_to_be_set() {
    let config = Config::defaults();
    for (name, read, ..) in NUMBERS {
        assert!(read(&config).is_ok(), "{name}");
    }
    assert!(config.database_url().is_ok() && config.public_url().is_ok() && config.own_origin().is_ok());
    assert!(config.trusted_proxies().is_ok() && config.exceptions().is_ok() && config.rates().is_ok());
    assert!(config.webhook_schedule().is_ok() && config.sandbox_pace().is_ok());
    assert_eq!(config.sandbox_seed().expect("a default"), 0);
    assert!(config.sandbox_recordings().expect("a default"));
    assert!(
        config.live_engine().expect("a default").is_none() && config.vapi().expect("a default").is_none()
    );
    assert!(config.voice().expect("a default").is_none());
    assert!(config.calling_hours().is_ok() && config.destinations().is_ok());
    assert!(
        config.allowed_countries().expect("a default").is_empty()
            && config.cors_origins().expect("a default").is_empty()
    );
    assert_eq!(config.metrics_listen(), Some("127.0.0.1:9464"));
    assert!(
        config
            .master_key()
            .expect_err("there is no good default")
            .to_string()
            .contains("KAICALLS_MASTER_KEY")
    );
}

#[test]
fn things_are_kept_for_days_or_for_ever() {
    let kept = |name, value: &str| with(name, value).retention();
    assert_eq!(Config::defaults().retention().expect("a default"), Retention::default());
    assert_eq!(kept("keep_logs_days", " ").expect("for ever"), Retention::default());
    let days = |days: i64| Some(SignedDuration::from_hours(24 * days));
    assert_eq!(kept("keep_recordings_days", "1").expect("a day").recordings, days(1));
    assert_eq!(kept("keep_transcripts_days", "36500").expect("a century").transcripts, days(36_500));
    assert_eq!(kept("keep_logs_days", "30").expect("a month").logs, days(30));
    for name in ["keep_recordings_days", "keep_transcripts_days", "keep_logs_days"] {
        for wrong in ["0", "36501", "-1", "x", "1.5"] {
            let error = kept(name, wrong).expect_err(wrong).to_string();
            assert!(error.contains(&variable(name)), "{error}");
        }
    }
}

#[test]
fn every_setting_has_a_name_of_its_own_and_is_explained_in_a_sentence() {
    let names: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(names.len(), SETTINGS.len());
    let page = reference();
    for setting in SETTINGS {
        assert!(setting.about.ends_with('.'), "{}", setting.name);
        let row = format!("| `{}` | `{}` |", setting.name, variable(setting.name));
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn texts_are_trimmed_and_an_empty_one_is_none() {
    for (value, expected) in
        [("", None), ("  ", None), (" https://kai.example ", Some("https://kai.example"))]
    {
        assert_eq!(with("public_url", value).text("public_url"), expected, "{value:?}");
    }
    for (value, expected) in [
        ("", &[][..]),
        (" , ,", &[]),
        ("https://a.example", &["https://a.example"]),
        (" https://a.example ,https://b.example,", &["https://a.example", "https://b.example"]),
    ] {
        assert_eq!(with("cors_origins", value).cors_origins().expect("origins"), expected, "{value:?}");
    }
}

#[test]
fn an_address_of_the_server_has_a_scheme_and_no_slash_at_its_end() {
    for (value, expected) in [
        ("https://kai.example", Some("https://kai.example")),
        ("https://kai.example//", Some("https://kai.example")),
        ("http://10.1.2.3:80/kai/", Some("http://10.1.2.3:80/kai")),
        ("", Some("http://127.0.0.1:8080")),
        ("https://", None),
        ("https:///", None),
        ("kai.example", None),
        ("ftp://kai.example", None),
        ("HTTPS://kai.example", None),
    ] {
        assert_eq!(with("public_url", value).public_url().ok().as_deref(), expected, "{value}");
    }
    assert_eq!(with("metrics_listen", "off").metrics_listen(), None);
    assert_eq!(with("metrics_listen", "0.0.0.0:1").metrics_listen(), Some("0.0.0.0:1"));
    assert_eq!(with("listen", "").listen(), "127.0.0.1:8080");
}

#[test]
fn prices_are_amounts_of_money_for_engines_by_name() {
    let minute = Duration::from_secs(60);
    let rates = with("rate_per_minute", " voice = 7.5, sandbox=0 ").rates().expect("two prices");
    assert!(rates.has("voice") && rates.has("sandbox") && !rates.has("vapi"));
    assert_eq!((rates.cost_cents("voice", minute * 2), rates.cost_cents("sandbox", minute)), (15, 0));
    for value in
        ["voice", "voice=", "voice=cheap", "=", "voice=-1", "voice=NaN", "voice=inf", "voice=1,sandbox"]
    {
        let error = with("rate_per_minute", value).rates().expect_err(value).to_string();
        assert!(error.contains("KAICALLS_RATE_PER_MINUTE"), "{value}: {error}");
    }
}

#[test]
fn what_is_set_of_vapi_is_complete_or_says_what_is_missing() {
    let vapi = |settings: &[(&'static str, &str)]| {
        let mut config = with("vapi_api_key", "key");
        for (name, value) in settings {
            config.set(name, *value);
        }
        config.vapi().map(|vapi| vapi.expect("there is a key"))
    };
    let usual = vapi(&[]).expect("a key is enough");
    assert_eq!((usual.base_url.as_str(), usual.max_concurrent_calls), ("https://api.vapi.ai", 10));
    assert!(usual.secrets.is_empty() && usual.credential_id.is_none() && usual.phone_number_id.is_none());
    let signed = [
        ("vapi_webhook_auth", "hmac"),
        ("vapi_credential_id", "cred"),
        ("vapi_webhook_secret", "new, old"),
        ("vapi_phone_number_id", "number"),
    ];
    let signed_with = vapi(&signed).expect("complete");
    assert_eq!(signed_with.secrets, ["new", "old"]);
    assert_eq!(signed_with.credential_id.as_deref(), Some("cred"));
    assert_eq!(signed_with.phone_number_id.as_deref(), Some("number"));
    for (missing, expected) in [(1, "KAICALLS_VAPI_CREDENTIAL_ID"), (2, "KAICALLS_VAPI_WEBHOOK_SECRET")] {
        let mut settings = signed;
        settings[missing].1 = "";
        let error = vapi(&settings).err().expect(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

fn read(text: &str) -> Result<Config, Failure> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, text).expect("a writable folder");
    let mut config = Config::defaults();
    config.read_file(&file).map(|()| config)
}

#[test]
fn a_file_may_hold_every_plain_value_and_names_what_it_may_not() {
    for (text, name, expected) in [
        ("listen = '1.2.3.4:5'", "listen", "1.2.3.4:5"),
        ("sandbox_pace = 10", "sandbox_pace", "10"),
        ("sandbox_pace = 2.5", "sandbox_pace", "2.5"),
        ("sandbox_recordings = false", "sandbox_recordings", "false"),
        (
            "cors_origins = ['https://a.example', 'https://b.example']",
            "cors_origins",
            "https://a.example,https://b.example",
        ),
        ("cors_origins = []", "cors_origins", ""),
    ] {
        assert_eq!(read(text).expect(text).values[name], expected, "{text}");
    }
    for (text, expected) in [
        ("cors_origins = [1]", "`cors_origins` must be a text"),
        ("listen = { port = 80 }", "`listen` must be a text"),
        ("[listen]\nport = 80", "`listen` must be a text"),
        ("listen = 2026-11-28", "`listen` must be a text"),
        ("listen = ", "settings.toml"),
        ("listne = '1.2.3.4:5'", "did you mean `listen`?"),
        ("KAICALLS_LISTEN = '1.2.3.4:5'", "there is no setting `KAICALLS_LISTEN`"),
    ] {
        let error = read(text).err().expect(text).to_string();
        assert!(error.contains(expected) && error.contains("settings.toml"), "{text}: {error}");
    }
    let missing =
        Config::defaults().read_file(Path::new("/nowhere/kaicalls.toml")).expect_err("it is missing");
    assert!(missing.to_string().contains("/nowhere/kaicalls.toml: cannot be read"), "{missing}");
}

#[test]
fn a_variable_wins_over_the_file() {
    let mut config = read("listen = '1.2.3.4:5'\ndrain_seconds = 7").expect("fine");
    let variables = [(OsString::from("KAICALLS_LISTEN"), OsString::from("5.6.7.8:9"))];
    config.read_variables(variables).expect("fine");
    assert_eq!(config.listen(), "5.6.7.8:9");
    assert_eq!(config.drain().expect("a number"), Duration::from_secs(7), "what no variable names stays");
}

#[test]
fn the_meant_setting_is_guessed_only_where_there_is_something_to_go_by() {
    for (name, expected) in [
        ("listne", Some("listen")),
        ("lisen", Some("listen")),
        ("master_kye", Some("master_key")),
        ("webhook_schedul", Some("webhook_schedule")),
        ("xyzzy", None),
        ("", None),
    ] {
        assert_eq!(nearest(name), expected, "{name}");
    }
    for (one, other, expected) in [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("listen", "listne", 2),
        ("kitten", "sitting", 3),
        ("a", "a", 0),
    ] {
        assert_eq!(distance(one, other), expected, "{one} {other}");
    }
}

proptest! {
    #[test]
    fn the_distance_of_words_is_one(one in "[ab]{0,6}", other in "[ab]{0,6}", third in "[ab]{0,6}") {
        prop_assert_eq!(distance(&one, &other) == 0, one == other);
        prop_assert_eq!(distance(&one, &other), distance(&other, &one));
        prop_assert!(distance(&one, &third) <= distance(&one, &other) + distance(&other, &third));
    }
}
