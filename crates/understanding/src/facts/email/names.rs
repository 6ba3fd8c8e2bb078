//! Names that stand in domains: of providers, and the ends.

/// The ends of domains that people name alone.
pub(super) const ENDINGS: [&str; 25] = [
    "com", "net", "org", "edu", "gov", "io", "uk", "us", "tv", "me", "co", "in", "es", "mx", "ai", "de",
    "fr", "ca", "au", "info", "biz", "app", "dev", "law", "store",
];

/// Providers whose name is enough, as recognisers write it.
const PROVIDERS: &[(&str, &str)] = &[
    ("gmail", "gmail"),
    ("geemail", "gmail"),
    ("jmail", "gmail"),
    ("gemail", "gmail"),
    ("jeemail", "gmail"),
    ("hotmail", "hotmail"),
    ("hotmale", "hotmail"),
    ("yahoo", "yahoo"),
    ("yahu", "yahoo"),
    ("outlook", "outlook"),
    ("icloud", "icloud"),
    ("eyecloud", "icloud"),
    ("aol", "aol"),
    ("protonmail", "protonmail"),
];

/// The provider that a word stands for.
pub(super) fn provider(label: &str) -> Option<&'static str> {
    PROVIDERS.iter().find(|(said, _)| *said == label).map(|(_, meant)| *meant)
}
