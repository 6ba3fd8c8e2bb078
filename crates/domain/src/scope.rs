//! What a key may do.

use std::fmt;

crate::word_enum! {
    /// A right that a key can hold.
    pub enum Scope {
        #[doc = "`agents:read`"]
        AgentsRead = "agents:read",
        #[doc = "`agents:write`"]
        AgentsWrite = "agents:write",
        #[doc = "`numbers:read`"]
        NumbersRead = "numbers:read",
        #[doc = "`numbers:write`"]
        NumbersWrite = "numbers:write",
        #[doc = "`calls:read`"]
        CallsRead = "calls:read",
        #[doc = "`calls:write`"]
        CallsWrite = "calls:write",
        #[doc = "`leads:read`"]
        LeadsRead = "leads:read",
        #[doc = "`leads:write`"]
        LeadsWrite = "leads:write",
        #[doc = "`sms:read`"]
        SmsRead = "sms:read",
        #[doc = "`sms:write`"]
        SmsWrite = "sms:write",
        #[doc = "`emails:read`"]
        EmailsRead = "emails:read",
        #[doc = "`emails:write`"]
        EmailsWrite = "emails:write",
        #[doc = "`webhooks:read`"]
        WebhooksRead = "webhooks:read",
        #[doc = "`webhooks:write`"]
        WebhooksWrite = "webhooks:write",
        #[doc = "`events:read`"]
        EventsRead = "events:read",
        #[doc = "`events:replay`"]
        EventsReplay = "events:replay",
        #[doc = "`evals:read`"]
        EvalsRead = "evals:read",
        #[doc = "`evals:write`"]
        EvalsWrite = "evals:write",
        #[doc = "`workspaces:read`"]
        WorkspacesRead = "workspaces:read",
        #[doc = "`workspaces:write`"]
        WorkspacesWrite = "workspaces:write",
        #[doc = "`lifecycle:write`"]
        LifecycleWrite = "lifecycle:write",
        #[doc = "`communication-runs:read`"]
        CommunicationRunsRead = "communication-runs:read",
        #[doc = "`communication-runs:write`"]
        CommunicationRunsWrite = "communication-runs:write",
        #[doc = "`sdr:read`"]
        SdrRead = "sdr:read",
        #[doc = "`sdr:write`"]
        SdrWrite = "sdr:write",
        #[doc = "`billing:read`"]
        BillingRead = "billing:read",
        #[doc = "`billing:write`"]
        BillingWrite = "billing:write",
        #[doc = "`knowledge:read`"]
        KnowledgeRead = "knowledge:read",
        #[doc = "`knowledge:write`"]
        KnowledgeWrite = "knowledge:write",
        #[doc = "`products:read`"]
        ProductsRead = "products:read",
        #[doc = "`products:write`"]
        ProductsWrite = "products:write",
        #[doc = "`support:write`"]
        SupportWrite = "support:write",
        #[doc = "`audit:read`"]
        AuditRead = "audit:read",
        #[doc = "`*`"]
        All = "*",
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

    /// True if something can be changed with it.
    pub fn changes_anything(&self) -> bool {
        self.0.iter().any(|scope| !scope.as_str().ends_with(":read"))
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
