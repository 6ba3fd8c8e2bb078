//! The table of all settings: their names, what applies if nothing is set, and what they mean.

use std::fmt::Write as _;

use domain::dial_policy::CallingHours;
use web::RateLimits;
use webhooks::schedule::Schedule;

/// Where the database is unless a setting says otherwise.
pub(super) const USUAL_DATABASE: &str = "sqlite:data/kaicalls.db";

pub(super) struct Setting {
    pub(super) name: &'static str,
    /// Gives the value that applies if nothing is set. What a crate decides is asked of that crate.
    pub(super) default: fn() -> String,
    pub(super) about: &'static str,
}

macro_rules! settings {
    ($($name:literal = $default:expr, $about:literal;)*) => {
        pub(super) const SETTINGS: &[Setting] = &[$(Setting { name: $name, default: || ($default).to_string(), about: $about }),*];
    };
}

settings! {
    "database_url" = USUAL_DATABASE, "Database to use: `sqlite:PATH` or `postgres://user:password@host/database`. For TLS the second takes what `psql` takes: `?sslmode=` with `disable`, `prefer` (the default), `require`, `verify-ca` or `verify-full`, the file of an authority as `sslrootcert` (without it those that this system trusts), and a certificate of our own as `sslcert` with `sslkey`.";
    "database_direct_url" = "", "Where `database_url` leads to a pooler that lends connections for single transactions, like PgBouncer in transaction mode: a URL of the same database past it. On it a server hears at once what others add; without it, it looks from time to time.";
    "data_dir" = "data", "Folder for recordings and for usage rows on their way into the database.";
    "master_key" = "", "32 bytes in Base64 from which all other keys are made; required. `kaicalls setup` makes one; `openssl rand -base64 32` does too. Losing it makes keys, links and sealed secrets useless.";
    "listen" = "127.0.0.1:8080", "Where the API listens.";
    "public_url" = "", "The address under which clients reach the API; `http://` and `listen` by default. Recording links begin with it; `https` makes session cookies `Secure`. Only pages of this address may log in and change things by session; without it, pages of `localhost`, `127.0.0.1` and `[::1]` with the port of `listen`.";
    "metrics_listen" = "127.0.0.1:9464", "Where `/metrics` is served; `off` for nowhere. `/livez` and `/readyz` are there too, as they are at `listen`.";
    "log" = "info", "Which log lines are written, as a filter like `info,store=debug`: a level, and others for parts of the program.";
    "log_format" = "auto", "Format of log lines: `text`, `json`, or `auto` (text on a terminal, JSON otherwise).";
    "live_engine" = "", "Which engine makes the calls of live keys: `vapi`, `voice` (our own, over `voice_trunks`), `sandbox` or `none`. Without it, `vapi` where `vapi_api_key` is set, else `voice` where there are trunks, else `none`. A number that another engine carries, or an agent that prefers one, comes first. With `sandbox` and `none` no call begins on Vapi or over a trunk; those that run at Vapi are still followed to their end. Test keys always use the sandbox.";
    "vapi_api_key" = "", "The private key of a Vapi account. With it live calls run on Vapi, unless `live_engine` says otherwise.";
    "vapi_base_url" = "https://api.vapi.ai", "Vapi's API; `https://api.eu.vapi.ai` for accounts in the EU.";
    "vapi_phone_number_id" = "", "Vapi's id of the number that agents without one of their own call from. Not needed where the account holds just one.";
    "vapi_webhook_auth" = "secret", "How messages from Vapi are authenticated: `secret` (a header that KaiCalls sets on everything it makes there), or, with a credential made at Vapi, `bearer`, `hmac` (signed with a timestamp) or `hmac-body`.";
    "vapi_webhook_secret" = "", "The secret that authenticates messages from Vapi, or several separated by commas while one is being replaced; with `secret`, the first is given to Vapi. Made from the master key by default.";
    "vapi_credential_id" = "", "Vapi's id of the credential for `bearer` and `hmac`.";
    "vapi_max_concurrent_calls" = "10", "How many calls may run on Vapi at once; more wait. Vapi's own limit for an account is 10 unless more was bought.";
    "voice_trunks" = "", "SIP trunks over which our own voice engine calls and is called: in the file a table `[[voice.trunks]]` for each (the [guide](../guides/sip-trunks.md) explains what they hold), as a variable the same in one line, like `[{name = \"office\", host = \"pbx.example.com\"}]`. What lets us in can stand in variables of its own, for this trunk `KAICALLS_VOICE_TRUNK_OFFICE_USERNAME` and `KAICALLS_VOICE_TRUNK_OFFICE_PASSWORD`.";
    "voice_listen" = "0.0.0.0:5060", "Where signalling from trunks comes in, over UDP and TCP.";
    "voice_tls_listen" = "", "Where signalling from trunks comes in over TLS, like `0.0.0.0:5061`. Without it we connect with trunks over TLS and they cannot connect with us, which is enough for those that use the connection that we keep. Needs `voice_tls_certificate` and `voice_tls_key`.";
    "voice_tls_certificate" = "", "The file of our certificate for that, with those that vouch for it (PEM). It is read again when it is renewed.";
    "voice_tls_key" = "", "The file of the certificate's key (PEM).";
    "voice_public_address" = "", "The address under which trunks reach this machine, like `203.0.113.7`, with a port where another one is forwarded. Needed where there are trunks, unless `voice_listen` names the address itself.";
    "voice_rtp_ports" = "16384-17383", "The UDP ports for the sound of calls, two for each. Trunks must reach them.";
    "voice_max_concurrent_calls" = "100", "How many calls may run over trunks at once in this process; more wait, and those that come in are told to come again.";
    "voice_ring_seconds" = "45", "How long a call over a trunk rings before it is given up.";
    "llm_base_url" = "", "An OpenAI-compatible endpoint up to `/v1`, for what agents say and how calls are read afterwards. Without one the built-in receptionist and analyst do it.";
    "llm_api_key" = "", "API key for that endpoint, sent as a bearer token.";
    "llm_model" = "", "Language model to use for all agents; without it, each agent's own `model.model`.";
    "recogniser" = "", "Who hears callers on calls with sound: `openai`, `deepgram`, `whisper` or `pocketsphinx`. Of several, separated by commas, each takes over when the one before fails. Without it, all that are configured in this order; `pocketsphinx` only if it is named, because it knows no more than a list of sentences.";
    "transcription_base_url" = "", "For the recogniser `openai`: an endpoint with `/audio/transcriptions` up to `/v1`, or the address of whisper.cpp's server up to `/inference`.";
    "transcription_api_key" = "", "API key for that endpoint, sent as a bearer token.";
    "transcription_model" = "whisper-1", "The model that it is asked for.";
    "deepgram_api_key" = "", "For the recogniser `deepgram`: the key of a project.";
    "deepgram_base_url" = "https://api.deepgram.com", "Deepgram's API.";
    "deepgram_model" = "nova-3", "Deepgram's model.";
    "whisper_model" = "", "For the recogniser `whisper`: a model file of whisper.cpp.";
    "whisper_program" = "whisper-cli", "The program of whisper.cpp, by name or path.";
    "pocketsphinx_sentences" = "", "For the recogniser `pocketsphinx`: a file with the sentences that can be said, one to a line.";
    "pocketsphinx_model" = "/usr/share/pocketsphinx/model/en-us", "The folder of its English model and dictionary.";
    "voices" = "", "Who speaks for agents on calls with sound: `openai`, `elevenlabs`, `piper`, `flite` or `espeak-ng`. Of several, separated by commas, the one that an agent's `voice.provider` names speaks first, and otherwise the first; each takes over when the one before fails. Without it, all that are configured or installed, in this order.";
    "speech_base_url" = "", "For the voices `openai`: an endpoint with `/audio/speech`, up to `/v1`.";
    "speech_api_key" = "", "API key for that endpoint, sent as a bearer token.";
    "speech_model" = "gpt-4o-mini-tts", "The model that it is asked for.";
    "speech_voice" = "alloy", "The voice of agents that name none of this provider.";
    "elevenlabs_api_key" = "", "For the voices `elevenlabs`: the key of an account.";
    "elevenlabs_base_url" = "https://api.elevenlabs.io", "ElevenLabs' API.";
    "elevenlabs_model" = "eleven_flash_v2_5", "The model of agents whose `voice.model` names none.";
    "elevenlabs_voice" = "JBFqnCBsd6RMkjVDRZzb", "The id of the voice of agents that name none of this provider.";
    "piper_voice" = "", "For the voices `piper`: the `.onnx` file of a voice, with its `.onnx.json` beside it.";
    "piper_program" = "piper", "The program, by name or path.";
    "speech_timeout_ms" = "5000", "How long a recogniser may take for an answer, and a voice for its first sound and each pause in it.";
    "sandbox_pace" = "fast", "Speed of sandbox calls: `fast` (as fast as the machine can), `realtime`, or a factor like `10`.";
    "sandbox_seed" = "0", "Seed of the sandbox's random choices. The same seed gives the same calls.";
    "sandbox_scenarios" = "", "Folder with scripted callers of your own (`*.toml`).";
    "sandbox_recordings" = "true", "Whether sandbox calls are recorded where a synthesiser is installed.";
    "egress_allow" = "", "Receivers of webhooks outside the public internet: networks with ports, like `10.1.0.0/16:8080,127.0.0.1:9000-9100`. They may be plain http. A good part of all addresses is refused; large networks, whole private ones and those in which cloud providers hand out passwords are warned of.";
    "webhook_schedule" = Schedule::default(), "The pauses before each attempt to deliver a webhook.";
    "rate_per_minute" = "", "Prices in cents per started minute and engine, like `voice=7.5,sandbox=0`. An engine without a price costs nothing.";
    "allowed_countries" = "", "Country calling codes that live calls may reach besides the business's own, like `44,49`.";
    "new_number_ranges" = "", "First digits of number ranges that are newer than this program, like `+1942,+49178`. A live call to a number that its country's numbering plan does not know is refused otherwise.";
    "destinations" = "", "File with a table of your own: in each line the first digits of numbers and a class, like `+4918 premium-rate`. The longest digits that fit count, before the numbering plans in this program. Classes: `ordinary`, `service-number`, `premium-rate`, `shared-cost`, `personal-number`, `universal-access`, `satellite`, `invalid-number`; only `ordinary` ones are called.";
    "calling_hours" = CallingHours::default(), "When live calls are made, on the clock where the called person is, like `8-21` or `08:30-20:00`; `off` for at any time. The zone is that of the lead, if it has one, and otherwise every zone in which the number can be.";
    "max_concurrent_calls" = "1000", "How many calls of one business and mode may run at once.";
    "rate_limit_calls" = RateLimits::default().place_call, "Largest number of calls placed (POST /calls) per minute and key.";
    "rate_limit_agents_create" = RateLimits::default().create_agent, "Largest number of agents created (POST /agents) per minute and key.";
    "rate_limit_agents_update" = RateLimits::default().change_agent, "Largest number of changes of agents (PATCH /agents) per minute and key.";
    "rate_limit_reads" = RateLimits::default().read, "Largest number of GET requests per minute and key.";
    "rate_limit_writes" = RateLimits::default().write, "Largest number of all other writing requests per minute and key.";
    "rate_limit_logins" = RateLimits::default().login, "Largest number of logins per minute and client address.";
    "signups_per_hour" = RateLimits::default().signup, "Largest number of accounts that one client address makes per hour with POST /signup; the hosted service allows 5. With 0 nobody can sign up.";
    "recording_link_hours" = "24", "How long a link to a recording works.";
    "keep_recordings_days" = "", "How many days after the end of a call its recording is kept. For ever by default.";
    "keep_transcripts_days" = "", "The same for what was said, word for word: transcripts, and the words in the logs of calls. Summaries and leads stay.";
    "keep_logs_days" = "", "The same for the logs of calls, and for the log of requests with keys.";
    "keep_audit_days" = "", "How many days the log of administrative changes is kept. For ever by default.";
    "trusted_proxies" = "", "Addresses or networks of proxies before this server, like `127.0.0.1,10.1.0.0/16`. They say in `Forwarded` or `X-Forwarded-For` who the client is; nobody else is believed. A request with both headers that name different clients counts as the proxy. Without it, everybody behind a proxy shares one limit of logins.";
    "max_connections" = "16384", "Largest number of connections to the API. For each one beyond it, the connection is closed that has waited longest for a request. The system's limit of open files may allow fewer; it is raised at the start as far as the system allows.";
    "max_connections_per_address" = "1024", "The same for one client address; a network of 64 bits is one address in IPv6. It does not count for `trusted_proxies`.";
    "cors_origins" = "", "Origins whose pages may use the API from a browser, separated by commas.";
    "database_pool" = store::DEFAULT_POOL, "Largest number of connections to PostgreSQL.";
    "delivery_concurrency" = "256", "Largest number of webhooks being delivered at once.";
    "call_job_concurrency" = "64", "Largest number of calls that background jobs dial or wrap up at once.";
    "drain_seconds" = "30", "How long a stopping server waits for calls and requests.";
    "unready_seconds" = "5", "How many of these seconds a stopping server goes on as usual while `/readyz` says that it stops, so that a balancer can turn to others first. None if nobody has asked `/readyz` within the last minute.";
    "setup_email" = "", "E-mail address of the first user. With `setup_password` it is created when the server starts on an empty database.";
    "setup_password" = "", "Password of the first user, at least 10 characters.";
    "setup_business" = "My business", "Name of the first business.";
    "setup_timezone" = "UTC", "Time zone of the first business, like `America/Chicago`.";
    "setup_phone" = "", "Office phone number of the first business in E.164 format; also decides its home country (`+1` without one).";
    "api_key" = "", "For commands that use the API, like `kaicalls calls`: the key to use. A server does not read it.";
    "base_url" = "", "For commands that use the API: the server, `public_url` by default. A server does not read it.";
}

/// Name of the environment variable for a setting.
pub(crate) fn variable(setting: &str) -> String {
    format!("KAICALLS_{}", setting.to_uppercase())
}

/// Names the setting that was probably meant, for the end of a sentence.
pub(super) fn did_you_mean(name: &str) -> String {
    match nearest(name) {
        Some(close) => format!("; did you mean `{close}`? `kaicalls settings` lists all"),
        None => "; `kaicalls settings` lists all".to_owned(),
    }
}

/// The known setting that shares the most words with a name, or differs from it by no more than two letters.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let shared =
        |known: &str| known.split('_').filter(|part| name.split('_').any(|word| word == *part)).count();
    let likeness = |known: &str| (shared(known), usize::MAX - distance(known, name));
    let best = SETTINGS.iter().map(|setting| setting.name).max_by_key(|known| likeness(known))?;
    (shared(best) > 0 || distance(best, name) <= 2).then_some(best)
}

/// How many letters have to be added, removed or changed to make one word out of the other.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, against) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != against);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

/// The reference page on all settings, as Markdown.
pub(crate) fn reference() -> String {
    let mut page = String::from(
        "# Settings\n\nMade by `kaicalls settings`; do not edit by hand.\n\nSettings come from a TOML file (`kaicalls.toml` in the working \
         directory, or `--config FILE`) and from variables of the environment, which win. An unknown name in the file is an error, an \
         unknown variable is warned of. A path that is not absolute is meant from where it is written: in the file from the file's folder, in \
         a variable from the working directory. A path that is written nowhere lies beside the file that `--config` names, or in the working \
         directory.\n\n\
         | In the file | As a variable | Default | Meaning |\n|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let default = (setting.default)();
        let default = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {default} | {} |",
            setting.name,
            variable(setting.name),
            setting.about
        );
    }
    page
}
