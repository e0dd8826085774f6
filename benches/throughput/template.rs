//! A stanza of the gateway, overheard and made a form: the same bytes with other recipients and numbers.

use anyhow::{Context as _, ensure};

use crate::stage::{GATEWAY, RAW};

/// What changes in a stanza.
#[derive(Clone)]
enum Piece {
    Fixed(String),
    /// The number of the row, in ids.
    Number,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Template {
    /// Up to the recipient, and what follows.
    before: String,
    after: Vec<Piece>,
}

impl Template {
    /// Of a message that the gateway wrote to one client.
    pub(crate) fn of(stanza: &str) -> anyhow::Result<Self> {
        let (before, rest) = stanza
            .split_once(" to='")
            .context("the gateway writes the recipient first")?;
        let (_, after) = rest.split_once('\'').context("an attribute ends")?;
        let after = after.replace(GATEWAY, RAW);
        let ids = after.split_once("<stanza-id ").context("the room gives a stanza-id")?.1;
        let id = ids.split_once(" id='").and_then(|(_, id)| id.split('\'').next());
        let id = id.context("a stanza-id has an id")?;
        let epoch = id.trim_end_matches(|c: char| c.is_ascii_digit());
        ensure!(epoch.len() < id.len(), "a stanza-id ends with the row's number");
        let mut pieces = Vec::new();
        for (n, part) in after.split(id).enumerate() {
            if n > 0 {
                pieces.push(Piece::Fixed(epoch.to_owned()));
                pieces.push(Piece::Number);
            }
            pieces.push(Piece::Fixed(part.to_owned()));
        }
        Ok(Self {
            before: format!("{before} to='"),
            after: pieces,
        })
    }

    /// Appends the stanza with that number for each recipient.
    pub(crate) fn write<'a>(&self, out: &mut Vec<u8>, number: u64, to: impl Iterator<Item = &'a str>) {
        let mut after = String::with_capacity(512);
        let number = (100_000 + number % 900_000).to_string();
        for piece in &self.after {
            after.push_str(match piece {
                Piece::Fixed(text) => text,
                Piece::Number => &number,
            });
        }
        for jid in to {
            for text in [self.before.as_str(), jid, "'", after.as_str()] {
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
}
