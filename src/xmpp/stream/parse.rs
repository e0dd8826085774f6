//! From a frame to a stanza, or to what is known of a stanza that is none.
//!
//! `xml:lang` of the stream and of the stanza is left out: servers put their own default on both, and it would travel on with every
//! body that a room sends again. A language on a `<body/>` itself is its author's word and stays.

use tokio_xmpp::Stanza;
use xmpp_parsers::{
    iq::Iq,
    ns,
    stream_error::{DefinedCondition, StreamError},
};
use xso::exports::rxml::{self, Event, Parse, error::EndOrError, xml_lang::XmlLangStack};
use xso::{Context, FromEventsBuilder, FromXml};

/// What the server wrote.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A stanza.
    Stanza(Box<Stanza>),
    /// A stanza that cannot be read.
    Malformed(Malformed),
    /// The handshake was taken (XEP-0114 §3).
    Handshake,
    /// The server ends the stream (RFC 6120 §4.9); the condition is missing when it is none of ours.
    StreamError(Option<DefinedCondition>),
    /// A puppet's copy of what happens in a joined room; it was not read.
    Copy,
    /// An element that is no stanza.
    Other,
}

/// The start tag of a stanza that cannot be read; the texts are legal XML, and nothing else is known of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// `message`, `presence`, `iq`, or empty.
    pub(crate) name: &'static str,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) id: Option<String>,
}

/// A parser that reads on after a bad stanza.
pub(super) struct Parser {
    header: Vec<u8>,
    inner: rxml::Parser,
}

/// A parser over a text refused it.
#[derive(Debug, thiserror::Error)]
#[error("not well-formed: {0}")]
pub(super) struct NotWellFormed(rxml::Error);

impl Parser {
    /// Reads a stream header and gives the stream's id with the parser for what follows.
    pub(super) fn new(header: Vec<u8>) -> Result<(Self, Option<String>), NotWellFormed> {
        let mut inner = rxml::Parser::default();
        let mut id = None;
        let mut is_stream = false;
        feed(&mut inner, &header, |event| {
            if let Event::StartElement(_, (space, name), attrs) = event {
                is_stream = space == ns::STREAM && name == "stream";
                id = attrs.get(&rxml::Namespace::NONE, "id").cloned();
            }
        })?;
        if !is_stream {
            return Err(NotWellFormed(rxml::Error::RestrictedXml("no stream header")));
        }
        Ok((Self { header, inner }, id))
    }

    /// Reads a first-level element. Whatever is wrong with it stays with it.
    pub(super) fn element(&mut self, bytes: &[u8], head: usize, excessive: bool) -> Incoming {
        if excessive {
            return Incoming::Malformed(self.head(bytes));
        }
        let mut reading = Reading::new();
        if feed(&mut self.inner, bytes, |event| reading.event(event)).is_err() {
            let known = self.head(&bytes[..head.min(bytes.len())]);
            return Incoming::Malformed(known);
        }
        reading.done()
    }

    /// What the start tag alone says; leaves a parser that stands behind the stream header again.
    fn head(&mut self, tag: &[u8]) -> Malformed {
        let mut known = Malformed::default();
        self.restart();
        let read = feed(&mut self.inner, tag, |event| {
            if let Event::StartElement(_, qname, attrs) = event {
                known = Malformed::of(&qname, &attrs);
            }
        });
        if read.is_err() {
            known = Malformed::default();
        }
        self.restart();
        known
    }

    fn restart(&mut self) {
        self.inner = rxml::Parser::default();
        // It was read once, so it is read again.
        let _ = feed(&mut self.inner, &self.header, |_| ());
    }
}

fn feed(parser: &mut rxml::Parser, mut bytes: &[u8], mut take: impl FnMut(Event)) -> Result<(), NotWellFormed> {
    loop {
        match parser.parse(&mut bytes, false) {
            Ok(Some(event)) => take(event),
            Ok(None) | Err(EndOrError::NeedMoreData) => return Ok(()),
            Err(EndOrError::Error(error)) => return Err(NotWellFormed(error)),
        }
    }
}

impl Malformed {
    fn of((space, name): &rxml::QName, attrs: &rxml::AttrMap) -> Self {
        let name = ["message", "presence", "iq"]
            .into_iter()
            .find(|n| name == *n && *space == ns::COMPONENT);
        let attr = |key| attrs.get(&rxml::Namespace::NONE, key).cloned();
        Self {
            name: name.unwrap_or(""),
            from: attr("from"),
            to: attr("to"),
            kind: attr("type"),
            id: attr("id"),
        }
    }
}

type StanzaBuilder = <Result<Stanza, xso::error::Error> as FromXml>::Builder;
type ErrorBuilder = <Result<StreamError, xso::error::Error> as FromXml>::Builder;

enum Builder {
    Stanza(Box<StanzaBuilder>),
    StreamError(Box<ErrorBuilder>),
    Handshake,
    Other,
}

/// One element on its way through the parser.
struct Reading {
    builder: Option<Builder>,
    known: Malformed,
    langs: XmlLangStack,
    depth: usize,
    children: usize,
    result: Option<Incoming>,
}

impl Reading {
    fn new() -> Self {
        Self {
            builder: None,
            known: Malformed::default(),
            langs: XmlLangStack::new(),
            depth: 0,
            children: 0,
            result: None,
        }
    }

    fn event(&mut self, event: Event) {
        if self.result.is_some() {
            return;
        }
        let Some(builder) = &mut self.builder else {
            self.builder = self.begin(event);
            return;
        };
        match &event {
            Event::StartElement(_, _, attrs) => {
                self.children += usize::from(self.depth == 0);
                self.depth += 1;
                self.langs.push_from_attrs(attrs);
            }
            // The stanza's own tag was not put there.
            Event::EndElement(_) if self.depth > 0 => {
                self.depth -= 1;
                self.langs.pop();
            }
            _ => {}
        }
        let context = Context::empty().with_language(self.langs.current());
        self.result = match builder {
            Builder::Stanza(builder) => match builder.feed(event, &context) {
                Ok(None) => None,
                // The crate reads over a second child; RFC 6120 §8.2.3 wants it refused.
                Ok(Some(Ok(Stanza::Iq(Iq::Get { .. } | Iq::Set { .. } | Iq::Result { .. })))) if self.children > 1 => {
                    Some(Incoming::Malformed(std::mem::take(&mut self.known)))
                }
                Ok(Some(Ok(stanza))) => Some(Incoming::Stanza(Box::new(stanza))),
                Ok(Some(Err(_))) | Err(_) => Some(Incoming::Malformed(std::mem::take(&mut self.known))),
            },
            Builder::StreamError(builder) => match builder.feed(event, &context) {
                Ok(None) => None,
                Ok(Some(Ok(error))) => Some(Incoming::StreamError(Some(error.condition))),
                Ok(Some(Err(_))) | Err(_) => Some(Incoming::StreamError(None)),
            },
            Builder::Handshake | Builder::Other => None,
        };
    }

    fn begin(&mut self, event: Event) -> Option<Builder> {
        let Event::StartElement(_, qname, attrs) = event else {
            return None;
        };
        self.known = Malformed::of(&qname, &attrs);
        let context = Context::empty();
        Some(if qname.0 == ns::STREAM && qname.1 == "error" {
            match <Result<StreamError, _> as FromXml>::from_events(qname, attrs, &context) {
                Ok(builder) => Builder::StreamError(Box::new(builder)),
                Err(_) => Builder::Other,
            }
        } else if qname.0 == ns::COMPONENT && qname.1 == "handshake" {
            Builder::Handshake
        } else {
            match <Result<Stanza, _> as FromXml>::from_events(qname, attrs, &context) {
                Ok(builder) => Builder::Stanza(Box::new(builder)),
                Err(_) => Builder::Other,
            }
        })
    }

    fn done(self) -> Incoming {
        match (self.result, self.builder) {
            (Some(result), _) => result,
            (None, Some(Builder::Handshake)) => Incoming::Handshake,
            _ => Incoming::Other,
        }
    }
}
