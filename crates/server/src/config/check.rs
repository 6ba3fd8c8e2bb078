//! Everything that a server reads of its settings when it starts, read without starting one.

use web::OwnOrigin;

use super::Config;
use crate::failure::Failure;

impl Config {
    /// The settings with which a server would not start, each with what was expected. Those that `kaicalls doctor` tries for real (the
    /// database, addresses to listen on, models, voices, trunks) are not among them.
    pub(crate) fn problems(&self) -> Vec<Failure> {
        let read = [
            self.log_filter().map(drop),
            self.logs_json().map(drop),
            self.own_origin().map(drop),
            self.trusted_proxies().map(drop),
            self.cors_origins().map(drop),
            self.exceptions().map(drop),
            self.webhook_schedule().map(drop),
            self.rates().map(drop),
            self.allowed_countries().map(drop),
            self.destinations().map(drop),
            self.calling_hours().map(drop),
            self.max_concurrent_calls().map(drop),
            self.rate_limits().map(drop),
            self.recording_link_ttl().map(drop),
            self.retention().map(drop),
            self.max_connections().map(drop),
            self.max_connections_per_address().map(drop),
            self.delivery_concurrency().map(drop),
            self.call_job_concurrency().map(drop),
            self.drain().map(drop),
            self.unready().map(drop),
            self.sandbox_pace().map(drop),
            self.sandbox_seed().map(drop),
            self.sandbox_recordings().map(drop),
        ];
        read.into_iter().filter_map(Result::err).collect()
    }

    /// Origins whose pages may use the API, as browsers write them.
    pub(crate) fn cors_origins(&self) -> Result<Vec<String>, Failure> {
        let origin = |written: &String| match OwnOrigin::of_url(written) {
            Some(OwnOrigin::Public(origin)) if is_bare(written) => Ok(origin),
            _ => Err(Failure::setting("cors_origins", "expected origins like `https://app.example.com`")),
        };
        self.list("cors_origins").iter().map(origin).collect()
    }
}

/// Whether an address names a server and nothing on it.
fn is_bare(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    !rest.trim_end_matches('/').contains(['/', '?', '#', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_values_are_good_and_every_bad_one_is_named() {
        assert!(Config::defaults().problems().is_empty());
        for (name, value, expected) in [
            ("log", "inof", "info"),
            ("log", "info,store", "store=debug"),
            ("log", "kaicalls=loud", "KAICALLS_LOG"),
            ("log_format", "xml", "`json`"),
            ("public_url", "kai.example.com", "https://kai.example.com"),
            ("public_url", "https://owner@kai.example.com", "user name"),
            ("public_url", "https://kai.example.com/?x", "`?`"),
            ("trusted_proxies", "proxy", "127.0.0.1"),
            ("cors_origins", "app.example.com", "https://app.example.com"),
            ("cors_origins", "*", "https://app.example.com"),
            ("cors_origins", "https://app.example.com/page", "https://app.example.com"),
            ("egress_allow", "10.1.0.0/16", "10.1.0.0/16:8080"),
            ("webhook_schedule", "often", "0s,5s"),
            ("rate_per_minute", "much", "voice=7.5"),
            ("allowed_countries", "all", "44,49"),
            ("destinations", "nowhere.txt", "nowhere.txt"),
            ("calling_hours", "day", "8-21"),
            ("max_concurrent_calls", "many", "whole number"),
            ("rate_limit_logins", "0", "whole number"),
            ("recording_link_hours", "-1", "whole number"),
            ("keep_recordings_days", "0", "whole number"),
            ("keep_transcripts_days", "a month", "whole number"),
            ("keep_logs_days", "-1", "whole number"),
            ("max_connections", "0", "whole number"),
            ("max_connections_per_address", "few", "whole number"),
            ("delivery_concurrency", "0", "whole number"),
            ("call_job_concurrency", "0", "whole number"),
            ("drain_seconds", "long", "whole number"),
            ("unready_seconds", "5s", "whole number"),
            ("sandbox_pace", "slow", "`realtime`"),
            ("sandbox_seed", "-1", "whole number"),
            ("sandbox_recordings", "yes", "`true` or `false`"),
        ] {
            let mut config = Config::defaults();
            config.set(name, value);
            let problems: Vec<String> = config.problems().iter().map(ToString::to_string).collect();
            let [problem] = problems.as_slice() else { panic!("{name} = {value}: {problems:?}") };
            let variable = format!("KAICALLS_{} (setting `{name}`): ", name.to_uppercase());
            assert!(problem.starts_with(&variable) && problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        let mut config = Config::defaults();
        config.set(
            "cors_origins",
            "https://App.example.com/, http://localhost:3000,https://b\u{fc}cher.example:443",
        );
        let read = config.cors_origins().expect("origins");
        assert_eq!(
            read,
            ["https://app.example.com", "http://localhost:3000", "https://xn--bcher-kva.example"]
        );
        config.set("log", "warn,store=debug,egress[request{id=1}]=trace,off");
        assert!(config.problems().is_empty());
    }
}
