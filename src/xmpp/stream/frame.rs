//! Cuts the bytes of a stream into its first-level elements, before any XML parser sees them.
//!
//! Why not one parser over the whole stream: both servers hand on what a stranger wrote as long as it is well-formed, and a parser
//! that meets one of its own limits in it (an attribute of 9 000 bytes, elements nested 20 000 deep) has lost its place for good.
//! Cut first, a bad stanza is one bad stanza. Knows tags and quotes; knows nothing of names, namespaces or encodings.
//!
//! ```text
//! Text ──'<'──► Opened ──'/' or a name──► Tag ──'>'──► Text
//!                  └────'?' before the header──► Declaration ──'>'──► Text
//! ```

/// A stanza longer than this is not read into memory; servers allow 256 KiB to 1 MiB.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// Elements nested deeper than this are refused: freeing and writing a tree goes down it by recursion.
pub(super) const MAX_DEPTH: usize = 64;
/// The longest start tag of a stanza, or stream header, that is looked at.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// A piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The stream header, as it came.
    Header(Vec<u8>),
    /// A first-level element.
    Element {
        /// All of it; only the start tag (empty when that is too long itself) when it is `excessive`.
        bytes: Vec<u8>,
        /// The length of its start tag.
        head: usize,
        /// Larger or deeper than allowed.
        excessive: bool,
    },
    /// The stream footer.
    Footer,
}

/// Something that no server writes into a stream: a comment, CDATA, a processing instruction, or no XML at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an XML stream as XMPP has them")]
pub(super) struct NotAStream;

#[derive(Debug, Clone, Copy)]
enum Place {
    Text,
    Opened,
    Tag {
        closing: bool,
        quote: Option<u8>,
        slash: bool,
    },
    Declaration,
}

/// The state between two reads.
#[derive(Debug)]
pub(super) struct Framer {
    place: Place,
    depth: usize,
    bytes: Vec<u8>,
    head: usize,
    excessive: bool,
}

impl Framer {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Text,
            depth: 0,
            bytes: Vec::new(),
            head: 0,
            excessive: false,
        }
    }

    /// Takes bytes from the front of `input` until a frame is complete or nothing is left.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, NotAStream> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            let ended = self.step(byte)?;
            self.record(byte);
            if let Some(frame) = ended.and_then(|closing| self.tag_ended(closing)) {
                return Ok(Some(frame));
            }
            if self.depth == 0 && self.bytes.len() > MAX_HEAD {
                return Err(NotAStream);
            }
        }
        Ok(None)
    }

    /// One byte; `Some` when it ended a tag: closing, opening, or both.
    fn step(&mut self, byte: u8) -> Result<Option<Ended>, NotAStream> {
        match (self.place, byte) {
            (Place::Text, b'<') => {
                self.place = Place::Opened;
                if self.depth <= 1 {
                    self.bytes.clear();
                }
            }
            (Place::Text, _) if self.depth == 0 && !byte.is_ascii_whitespace() => return Err(NotAStream),
            (Place::Opened, b'?') if self.depth == 0 => self.place = Place::Declaration,
            (Place::Opened, b'?' | b'!' | b'>') => return Err(NotAStream),
            (Place::Opened, _) => {
                self.place = Place::Tag {
                    closing: byte == b'/',
                    quote: None,
                    slash: false,
                }
            }
            (Place::Declaration, b'>') => {
                self.place = Place::Text;
                self.bytes.clear();
            }
            (Place::Text | Place::Declaration, _) => {}
            (Place::Tag { closing, quote, slash }, _) => return Ok(self.inside_tag(byte, closing, quote, slash)),
        }
        Ok(None)
    }

    fn inside_tag(&mut self, byte: u8, closing: bool, quote: Option<u8>, slash: bool) -> Option<Ended> {
        let quote = match quote {
            Some(q) => (byte != q).then_some(q),
            None => matches!(byte, b'\'' | b'"').then_some(byte),
        };
        if byte == b'>' && quote.is_none() {
            self.place = Place::Text;
            return Some(match (closing, slash) {
                (true, _) => Ended::Close,
                (false, true) => Ended::Empty,
                (false, false) => Ended::Open,
            });
        }
        self.place = Place::Tag {
            closing,
            quote,
            slash: byte == b'/' && quote.is_none(),
        };
        None
    }

    fn record(&mut self, byte: u8) {
        let inside = self.depth > 1 || !matches!(self.place, Place::Text) || byte == b'>';
        if !inside || self.excessive {
            return;
        }
        if self.bytes.len() >= MAX_BYTES {
            self.exceed();
            return;
        }
        self.bytes.push(byte);
    }

    /// Keeps the start tag for an answer, and nothing else.
    fn exceed(&mut self) {
        self.excessive = true;
        self.bytes.truncate(self.head);
        if self.head > MAX_HEAD {
            self.bytes.clear();
        }
        self.bytes.shrink_to_fit();
    }

    fn tag_ended(&mut self, ended: Ended) -> Option<Frame> {
        if self.depth == 1 && !matches!(ended, Ended::Close) {
            self.head = self.bytes.len();
        }
        let complete = match ended {
            Ended::Open => {
                self.depth += 1;
                if self.depth == 1 {
                    return Some(Frame::Header(std::mem::take(&mut self.bytes)));
                }
                if self.depth > MAX_DEPTH + 1 && !self.excessive {
                    self.exceed();
                }
                false
            }
            Ended::Empty => self.depth == 1,
            Ended::Close => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Some(Frame::Footer);
                }
                self.depth == 1
            }
        };
        complete.then(|| Frame::Element {
            bytes: std::mem::take(&mut self.bytes),
            head: std::mem::take(&mut self.head),
            excessive: std::mem::take(&mut self.excessive),
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum Ended {
    Open,
    Close,
    Empty,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &[u8], step: usize) -> Result<Vec<Frame>, NotAStream> {
        let mut framer = Framer::new();
        let mut all = Vec::new();
        for mut chunk in text.chunks(step) {
            while let Some(frame) = framer.next(&mut chunk)? {
                all.push(frame);
            }
        }
        Ok(all)
    }

    fn element(text: &str, head: usize) -> Frame {
        Frame::Element {
            bytes: text.into(),
            head,
            excessive: false,
        }
    }

    #[test]
    fn cuts_at_every_size_of_read() {
        let text = b"<?xml version='1.0'?>\n<s:stream to='a>b'> \n<a b=\"/>'\"/><m><m>x</m>/</m>  <h/></s:stream>";
        for step in 1..text.len() {
            assert_eq!(
                frames(text, step).unwrap(),
                [
                    Frame::Header(b"<s:stream to='a>b'>".into()),
                    element("<a b=\"/>'\"/>", 12),
                    element("<m><m>x</m>/</m>", 3),
                    element("<h/>", 4),
                    Frame::Footer
                ]
            );
        }
    }

    #[test]
    fn too_deep_keeps_the_head_and_its_place() {
        let text = format!("<s><m id='1'>{}{}</m><n/>", "<a>".repeat(20_000), "</a>".repeat(20_000));
        let all = frames(text.as_bytes(), 4096).unwrap();
        assert_eq!(
            all[1..],
            [
                Frame::Element {
                    bytes: b"<m id='1'>".into(),
                    head: 10,
                    excessive: true
                },
                element("<n/>", 4)
            ]
        );
    }

    #[test]
    fn too_long_keeps_the_head_and_its_place() {
        let text = format!("<s><m id='1'>{}</m><n/>", "x".repeat(MAX_BYTES));
        let all = frames(text.as_bytes(), 4096).unwrap();
        assert!(matches!(&all[1], Frame::Element { bytes, excessive: true, .. } if bytes == b"<m id='1'>"));
        assert_eq!(all[2], element("<n/>", 4));
        let text = format!("<s><m id='{}'/><n/>", "x".repeat(MAX_BYTES));
        let all = frames(text.as_bytes(), 4096).unwrap();
        assert!(matches!(&all[1], Frame::Element { bytes, excessive: true, .. } if bytes.is_empty()));
        assert_eq!(all[2], element("<n/>", 4));
    }

    #[test]
    fn what_no_server_sends() {
        for text in [
            "HTTP/1.1 400 Bad Request",
            "<s><!-- -->",
            "<s><?pi?>",
            "<s><![CDATA[x]]>",
            "<>",
        ] {
            assert_eq!(frames(text.as_bytes(), 5), Err(NotAStream), "{text}");
        }
        let endless = format!("<s to='{}", "x".repeat(MAX_BYTES));
        assert_eq!(frames(endless.as_bytes(), 4096), Err(NotAStream));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[<>/?!'\"a ]{0,200}") {
            let _ = frames(text.as_bytes(), 7);
        }
    }
}
