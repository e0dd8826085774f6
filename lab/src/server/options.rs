//! Which server, and what a test may want different about it.

/// Who has an account from the start; the password is the name.
pub const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// <https://prosody.im>; cheap enough for one per test.
    Prosody,
    /// <https://www.ejabberd.im>; seconds and 100 MB, so better one per test binary.
    Ejabberd,
}

impl Kind {
    /// As in [`available`](crate::available) and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prosody => "prosody",
            Self::Ejabberd => "ejabberd",
        }
    }
}

/// What a test may want different.
#[derive(Clone, Debug)]
pub struct Options {
    /// Accounts besides [`USERS`]; the password is the name.
    pub users: Vec<String>,
    /// The component that the gateway connects as.
    pub component_domain: String,
    /// Further components with the same port and secret.
    pub more_components: Vec<String>,
    /// The secret of all components.
    pub secret: String,
    /// Whether the server's own rooms keep an archive (XEP-0313); loads are better without.
    pub muc_archive: bool,
    /// Whether the server logs each stanza's way.
    pub debug: bool,
    /// Put at the end of the configuration's global part (Prosody: Lua) or of the file (ejabberd: YAML).
    pub extra_config: String,
    /// Prosody only: put into the section of the component.
    pub extra_component_config: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            component_domain: "qq.localhost".to_owned(),
            more_components: Vec::new(),
            secret: "secret".to_owned(),
            muc_archive: true,
            debug: false,
            extra_config: String::new(),
            extra_component_config: String::new(),
        }
    }
}

impl Options {
    /// All accounts.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        USERS.into_iter().chain(self.users.iter().map(String::as_str))
    }

    /// All component domains.
    pub(crate) fn components(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.component_domain)
            .chain(&self.more_components)
            .map(String::as_str)
    }
}
