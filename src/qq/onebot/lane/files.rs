//! A file in a group is told twice: as a message and as a notice. They are one event; the message is preferred, since it has an id.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Media, MediaKind, Message, Part};

/// Files that are remembered.
const FILES_MAX: usize = 64;

/// The files of the last seconds.
#[derive(Debug)]
pub(super) struct Files {
    join: Duration,
    /// Told as messages.
    messages: VecDeque<(Media, Instant)>,
    /// Told by notices alone so far; the message is what is said when no other comes.
    notices: VecDeque<(Media, Message, Instant)>,
}

impl Files {
    pub(super) fn new(join: Duration) -> Self {
        Self {
            join,
            messages: VecDeque::new(),
            notices: VecDeque::new(),
        }
    }

    /// A message came: its files need no notice.
    pub(super) fn message(&mut self, parts: &[Part]) {
        let now = Instant::now();
        self.messages.retain(|(_, at)| now - *at < self.join);
        for part in parts {
            let Part::Media(media) = part else { continue };
            if media.kind != MediaKind::File {
                continue;
            }
            if let Some(at) = self.notices.iter().position(|(other, ..)| same(other, media)) {
                self.notices.remove(at);
            } else if self.messages.len() < FILES_MAX {
                self.messages.push_back((media.clone(), now));
            }
        }
    }

    /// A notice came. Gives back a message that has to wait no longer because there are too many.
    pub(super) fn notice(&mut self, media: Media, message: Message) -> Option<Message> {
        let now = Instant::now();
        self.messages.retain(|(_, at)| now - *at < self.join);
        if let Some(at) = self.messages.iter().position(|(other, _)| same(other, &media)) {
            self.messages.remove(at);
            return None;
        }
        self.notices.push_back((media, message, now + self.join));
        if self.notices.len() > FILES_MAX {
            return self.notices.pop_front().map(|(_, message, _)| message);
        }
        None
    }

    /// When the next notice has waited long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.notices.front().map(|(.., due)| *due)
    }

    /// The notices that have waited long enough.
    pub(super) fn take_due(&mut self) -> Vec<Message> {
        let now = Instant::now();
        let due = self.notices.iter().take_while(|(.., due)| *due <= now).count();
        self.notices.drain(..due).map(|(_, message, _)| message).collect()
    }
}

/// By name and size: the two tell different ids.
fn same(a: &Media, b: &Media) -> bool {
    let sizes = a.size.zip(b.size).is_none_or(|(a, b)| a == b);
    a.name == b.name && sizes
}
