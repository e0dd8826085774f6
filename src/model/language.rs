//! The language of the gateway's own texts.

/// A language of the gateway's own texts. To QQ people it is always Chinese, to XMPP people what the operator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

impl Language {
    /// Its tag in `xml:lang`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
}
