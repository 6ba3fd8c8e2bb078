//! What a key may do.

use std::fmt;

macro_rules! scopes {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// A right that a key can hold.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl Scope {
            /// Every scope, in the order of the public documentation.
            pub const ALL: &'static [Scope] = &[$(Scope::$variant),*];

            /// The scope's name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Scope::$variant => $text,)* }
            }
        }
    };
}

scopes! {
    AgentsRead = "agents:read", AgentsWrite = "agents:write",
    NumbersRead = "numbers:read", NumbersWrite = "numbers:write",
    CallsRead = "calls:read", CallsWrite = "calls:write",
    LeadsRead = "leads:read", LeadsWrite = "leads:write",
    SmsRead = "sms:read", SmsWrite = "sms:write",
    EmailsRead = "emails:read", EmailsWrite = "emails:write",
    WebhooksRead = "webhooks:read", WebhooksWrite = "webhooks:write",
    EventsRead = "events:read", EventsReplay = "events:replay",
    EvalsRead = "evals:read", EvalsWrite = "evals:write",
    WorkspacesRead = "workspaces:read", WorkspacesWrite = "workspaces:write", LifecycleWrite = "lifecycle:write",
    CommunicationRunsRead = "communication-runs:read", CommunicationRunsWrite = "communication-runs:write",
    SdrRead = "sdr:read", SdrWrite = "sdr:write",
    BillingRead = "billing:read", BillingWrite = "billing:write",
    KnowledgeRead = "knowledge:read", KnowledgeWrite = "knowledge:write",
    ProductsRead = "products:read", ProductsWrite = "products:write",
    SupportWrite = "support:write",
    All = "*",
}

impl Scope {
    /// Reads a scope's name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scopes of one key, in the order in which they were asked for, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// What a new key gets when nobody says otherwise.
    pub fn default_for_keys() -> Self {
        Self(vec![Scope::AgentsRead, Scope::NumbersRead, Scope::CallsRead, Scope::CallsWrite])
    }

    /// Keeps the first of equal scopes.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Self {
        let mut kept = Vec::new();
        for scope in scopes {
            if !kept.contains(&scope) {
                kept.push(scope);
            }
        }
        Self(kept)
    }

    /// True if the set grants the scope, by itself or through `*`.
    pub fn grants(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::All)
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// The stored form: names separated by spaces.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Reads the stored form. `None` if a name is unknown.
    pub fn from_text(text: &str) -> Option<Self> {
        text.split_ascii_whitespace().map(Scope::parse).collect::<Option<Vec<_>>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_grants_everything_and_others_only_themselves() {
        for &held in Scope::ALL {
            for &wanted in Scope::ALL {
                let granted = ScopeSet::new([held]).grants(wanted);
                assert_eq!(granted, held == wanted || held == Scope::All, "{held} for {wanted}");
            }
        }
    }

    #[test]
    fn the_stored_form_reads_back() {
        let set = ScopeSet::new([Scope::CallsRead, Scope::All, Scope::CallsRead]);
        assert_eq!(set.to_text(), "calls:read *");
        assert_eq!(ScopeSet::from_text(&set.to_text()), Some(set));
    }
}
