//! Splits the bytes of an XML stream (RFC 6120, section 4) into its header, whole stanzas and its end. Pieces come out whatever
//! way the network cut the bytes; what is not legal, restricted XML is an error, so a test sees when a server lets it through.

use anyhow::{Context as _, bail};
use minidom::Element;
use minidom::rxml::error::EndOrError;
use minidom::rxml::{Options, Parse as _, RawEvent, RawParser, WithOptions as _};
use minidom::tree_builder::TreeBuilder;

/// The longest text or attribute; the servers' own limit for stanzas is a sixteenth.
const TOKEN_LIMIT: usize = 16 * 1024 * 1024;
/// The most bytes between two pieces.
const STANZA_LIMIT: usize = 2 * TOKEN_LIMIT;

/// What a stream consists of.
#[derive(Debug)]
pub(crate) enum Piece {
    /// The header `<stream:stream …>`.
    Opened,
    /// A child of the stream.
    Stanza(Element),
    /// The footer `</stream:stream>`.
    Closed,
}

/// One direction of one stream. A restarted stream gets a new one.
pub(crate) struct Splitter {
    parser: RawParser,
    tree: TreeBuilder,
    pending: usize,
}

impl Splitter {
    pub(crate) fn new() -> Self {
        let options = Options {
            max_token_length: TOKEN_LIMIT,
            ..Options::default()
        };
        Self {
            parser: RawParser::with_options(options),
            tree: TreeBuilder::new(),
            pending: 0,
        }
    }

    /// Takes bytes off the front of `bytes` up to the end of the next piece; `None` when it took all and needs more.
    pub(crate) fn next(&mut self, bytes: &mut &[u8]) -> anyhow::Result<Option<Piece>> {
        loop {
            let before = bytes.len();
            let parsed = self.parser.parse(bytes, false);
            self.pending += before - bytes.len();
            if self.pending > STANZA_LIMIT {
                bail!("a stanza is longer than {STANZA_LIMIT} bytes");
            }
            let event = match parsed {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(Some(Piece::Closed)),
                Err(EndOrError::NeedMoreData) => return Ok(None),
                Err(EndOrError::Error(error)) => return Err(error).context("the stream is not well-formed XML"),
            };
            if let Some(piece) = self.grow(event)? {
                self.pending = 0;
                return Ok(Some(piece));
            }
        }
    }

    fn grow(&mut self, event: RawEvent) -> anyhow::Result<Option<Piece>> {
        let opens = matches!(event, RawEvent::ElementHeadClose(_));
        let closes = matches!(event, RawEvent::ElementFoot(_));
        // White space between stanzas is a keep-alive; kept, it would grow for ever.
        if self.tree.depth() <= 1 && matches!(event, RawEvent::Text(..)) {
            return Ok(None);
        }
        self.tree
            .process_event(event)
            .context("the stream is not namespace-well-formed XML")?;
        Ok(match self.tree.depth() {
            0 if closes => Some(Piece::Closed),
            1 if opens => Some(Piece::Opened),
            1 if closes => self.tree.unshift_child().map(Piece::Stanza),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jabber::Stanza as _;

    const STREAM: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
        xmlns:stream='http://etherx.jabber.org/streams' id='1'> <stream:features><bind xmlns='urn:x'/></stream:features>\n\
        <message from='猫@q/😀'><body>a &lt;b&gt; 早</body></message> <presence/></stream:stream>";

    fn split(chunk: usize) -> Vec<String> {
        let mut splitter = Splitter::new();
        let mut seen = Vec::new();
        for mut bytes in STREAM.as_bytes().chunks(chunk) {
            while let Some(piece) = splitter.next(&mut bytes).expect("well-formed") {
                seen.push(match piece {
                    Piece::Opened => "opened".to_owned(),
                    Piece::Stanza(el) => format!("{} {} {:?} {:?}", el.name(), el.ns(), el.from(), el.body()),
                    Piece::Closed => return [seen, vec!["closed".to_owned()]].concat(),
                });
            }
        }
        seen
    }

    #[test]
    fn pieces_do_not_depend_on_how_the_bytes_are_cut() {
        let whole = split(STREAM.len());
        assert_eq!(
            whole,
            [
                "opened",
                "features http://etherx.jabber.org/streams \"\" None",
                "message jabber:client \"猫@q/😀\" Some(\"a <b> 早\")",
                "presence jabber:client \"\" None",
                "closed",
            ]
        );
        for chunk in [1, 2, 3, 7, 50] {
            assert_eq!(split(chunk), whole, "in chunks of {chunk}");
        }
    }

    #[test]
    fn illegal_characters_are_an_error() {
        let mut splitter = Splitter::new();
        let mut bytes = &b"<s xmlns='x'><m>\x01</m>"[..];
        assert!(matches!(splitter.next(&mut bytes), Ok(Some(Piece::Opened))));
        assert!(splitter.next(&mut bytes).is_err());
    }

    #[test]
    fn long_texts_stay_whole() {
        let text = "猫".repeat(100_000);
        let stream = format!("<s xmlns='x'><m><body>{text}</body></m>");
        let (mut splitter, mut found) = (Splitter::new(), None);
        for mut bytes in stream.as_bytes().chunks(4096) {
            while let Some(piece) = splitter.next(&mut bytes).expect("well-formed") {
                if let Piece::Stanza(el) = piece {
                    found = el.body();
                }
            }
        }
        assert_eq!(found, Some(text));
    }
}
