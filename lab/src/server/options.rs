//! Which server, and what a test may want different about it.

use super::Wire;

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

/// What a test may want different about the rooms of the server's own MUC service (XEP-0045).
#[derive(Clone, Debug, Default)]
pub struct Muc {
    /// Prosody: Debian's `mod_muc_moderation` (package `prosody-modules`; XEP-0425 with `urn:xmpp:message-moderate:0` alone). It
    /// needs the archive. ejabberd 23.01 has none.
    pub moderation: bool,
    /// Prosody: limits that public servers have. ejabberd has its own options for that, see `extra_config`.
    pub limits: Option<MucLimits>,
    /// The most occupants of a room; admins and owners come in all the same. At first Prosody has no limit, and ejabberd 5000.
    pub max_occupants: Option<u32>,
    /// ejabberd: its own defaults (200 occupants, 100 rooms for one address, 20 messages of history) in the place of generous ones.
    pub own_defaults: bool,
}

/// The limits of `mod_muc_limits` of prosody-modules, with its defaults, on everybody without an affiliation.
#[derive(Clone, Copy, Debug)]
pub struct MucLimits {
    /// Joins, nick changes and lines that a room takes per second.
    pub event_rate: f64,
    /// How many seconds of that may come at once.
    pub burst_factor: u32,
    /// In bytes of UTF-8.
    pub max_nick_length: u32,
    /// Of one message.
    pub max_lines: u32,
}

impl Default for MucLimits {
    fn default() -> Self {
        Self {
            event_rate: 0.5,
            burst_factor: 6,
            max_nick_length: 23,
            max_lines: 23,
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
    /// What else is different about the server's own rooms.
    pub muc: Muc,
    /// The way to a neighbour ([`Neighbour::wire`](crate::Neighbour::wire)); without, the server talks to no other server.
    pub neighbour: Option<Wire>,
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
            muc: Muc::default(),
            neighbour: None,
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
