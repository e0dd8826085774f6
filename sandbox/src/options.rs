//! What a sandbox is started with. Plain data; the program fills it from its arguments, tests by hand.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::{Flavour, World};

/// Which years of the service are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// `WebQQ` of 2013: login with a password, perhaps with a captcha; pictures, system messages, real group numbers.
    Web2013,
    /// `SmartQQ` as from October 2015: QR login, `ptwebqq` of 64 characters, group numbers can be asked for.
    Smart2015,
    /// `SmartQQ` in its last year: `ptwebqq` is empty, every face is face 0, group numbers cannot be asked for.
    Smart2018,
}

impl Era {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Web2013, Self::Smart2015, Self::Smart2018];

    /// The word of the command line and of `/sandbox/state`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Web2013 => "2013",
            Self::Smart2015 => "2015",
            Self::Smart2018 => "2018",
        }
    }

    /// The era of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|era| era.word() == word)
    }
}

/// How a sandbox is started. `Options::default()` listens on a free port of the loopback address with the default world.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The people and groups; `None` is the default world. A state directory that already holds a world wins.
    pub world: Option<World>,
    /// Where everything is kept. Without it the sandbox forgets at its end.
    pub state: Option<PathBuf>,
    /// The years that are played.
    pub era: Era,
    /// The `OneBot` program that is played where an account names none.
    pub flavour: Flavour,
    /// Leave out the checks of which nobody knows exactly how the real service made them.
    pub lax: bool,
    /// Chooses among the behaviours that were all seen.
    pub seed: u64,
    /// How long a poll without events is held. The real service: about 60 s.
    pub hold: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            world: None,
            state: None,
            era: Era::Smart2015,
            flavour: Flavour::Napcat,
            lax: false,
            seed: 0,
            hold: Duration::from_secs(60),
        }
    }
}
