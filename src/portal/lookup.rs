//! What a stanza from XMPP refers to, read before it is admitted: the room itself does not know what was said.

use std::collections::HashMap;

use super::answered::beginning;
use super::turn::Portal;
use crate::model::{Author, GroupNumber, Language, Row, Seq};
use crate::qq::faces::Known;
use crate::store::{SaidBy, StoreError};
use crate::xmpp::Event;
use crate::xmpp::read::message::corrects;
use crate::xmpp::render::children::to_message;

/// So much of what is answered is quoted on QQ, in characters.
const QUOTED: usize = 40;

/// The rows that a stanza names.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// The row that it takes back.
    pub(super) target: Option<Row>,
    /// What goes with it, being the same message: its other versions (XEP-0308), or the other rows of one from QQ.
    pub(super) also: Vec<Seq>,
    /// What it answers.
    pub(super) answered: Option<Answering>,
}

/// The row that a stanza answers.
#[derive(Debug)]
pub(super) struct Answering {
    /// How it is quoted; nothing when no words are left of it.
    pub(super) quote: Option<String>,
    /// The groups in which it can be answered by name.
    pub(super) groups: Vec<GroupNumber>,
}

impl Portal {
    /// Reads what a stanza refers to. Everything it may refer to must be committed.
    pub(super) async fn look_up(&self, event: &Event) -> Result<Named, StoreError> {
        let store = &self.wiring.store;
        if let Some(target) = self.room.retracts(event) {
            let Some(row) = store.row(self.id, target).await? else {
                return Ok(Named::default());
            };
            let who = event.from.to_bare();
            let may = row.author == Author::Occupant(who.clone()) || self.room.is_owner(&who);
            let also = if may {
                self.same_message(&row).await?
            } else {
                Vec::new()
            };
            return Ok(Named {
                target: Some(row),
                also,
                answered: None,
            });
        }
        let Some(answered) = self.room.answers(event).filter(|_| self.settings.to_qq) else {
            return Ok(Named::default());
        };
        match store.row(self.id, answered).await? {
            Some(row) => self.answering(&row).await,
            None => Ok(Named::default()),
        }
    }

    /// What is needed to answer a row on QQ.
    pub(super) async fn answering(&self, row: &Row) -> Result<Named, StoreError> {
        let store = &self.wiring.store;
        // The web protocol has no answers at all.
        let groups = match self.settings.faces {
            Known::WebQq => Vec::new(),
            Known::OneBot => {
                let (account, groups) = (&self.settings.account, &self.settings.groups);
                store.reached(row.seq, account, groups).await?
            }
        };
        let answered = Some(Answering {
            quote: quote(&row.nick, &beginning(&row.content, Language::Zh)),
            groups,
        });
        Ok(Named {
            answered,
            ..Named::default()
        })
    }

    /// The other rows of what a person takes for one message.
    pub(super) async fn same_message(&self, row: &Row) -> Result<Vec<Seq>, StoreError> {
        let store = &self.wiring.store;
        let mut rows = match &row.author {
            Author::Occupant(_) | Author::Guest(_) => versions(row.seq, store.stanzas_by(self.id, &row.author).await?),
            Author::Member { .. } => {
                let rows = store.message(self.id, row.message).await?;
                rows.iter().map(|row| row.seq).collect()
            }
            Author::Room => Vec::new(),
        };
        rows.retain(|seq| *seq != row.seq);
        Ok(rows)
    }
}

/// The rows that are versions of one message, by what their author said in order: a correction names the id of what it replaces,
/// which clients use again now and then; so the newest before it is meant.
fn versions(of: Seq, said: Vec<SaidBy>) -> Vec<Seq> {
    let mut first_by_id: HashMap<String, Seq> = HashMap::new();
    let mut firsts = Vec::new();
    for SaidBy { row, id, correction } in said {
        let first = match correction.and_then(|children| corrects(&to_message(&children))) {
            // What it replaces may be gone: then the corrections are still versions of each other.
            Some(replaced) => *first_by_id.entry(replaced).or_insert(row),
            None => row,
        };
        first_by_id.insert(id, first);
        firsts.push((row, first));
    }
    let Some((_, first)) = firsts.iter().find(|(row, _)| *row == of).copied() else {
        return Vec::new();
    };
    let same = firsts.into_iter().filter(|(_, other)| *other == first);
    same.map(|(row, _)| row).collect()
}

/// The beginning of what is answered, as people on QQ quote it: `「小明: 早」`.
pub(super) fn quote(nick: &str, text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let nick = if nick.is_empty() {
        String::new()
    } else {
        format!("{nick}: ")
    };
    let mut kept: String = line.chars().take(QUOTED).collect();
    if kept.len() < line.len() {
        kept.push('…');
    }
    Some(format!("「{nick}{kept}」"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(row: i64, id: &str, replaces: Option<&str>) -> SaidBy {
        let correction = |id: &str| format!("<replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>");
        SaidBy {
            row: Seq(row),
            id: id.into(),
            correction: replaces.map(correction),
        }
    }

    fn versions_of(row: i64, said: &[SaidBy]) -> Vec<i64> {
        versions(Seq(row), said.to_vec()).into_iter().map(|seq| seq.0).collect()
    }

    #[test]
    fn a_correction_belongs_to_the_newest_of_its_name() {
        let all = [
            said(1, "a", None),
            said(2, "b", Some("a")),
            said(3, "c", Some("b")),
            said(4, "a", None),
            said(5, "d", Some("a")),
            said(6, "e", Some("gone")),
            said(7, "f", Some("gone")),
        ];
        for row in [1, 2, 3] {
            assert_eq!(versions_of(row, &all), [1, 2, 3]);
        }
        assert_eq!(versions_of(4, &all), [4, 5]);
        assert_eq!(versions_of(7, &all), [6, 7]);
        assert_eq!(versions_of(8, &all), [0; 0]);
    }

    #[test]
    fn quotes_are_short() {
        assert_eq!(quote("小明", "\n 早 \n好").as_deref(), Some("「小明: 早」"));
        assert_eq!(quote("", "QQ is away").as_deref(), Some("「QQ is away」"));
        assert_eq!(quote("小明", " "), None);
        let long = quote("", &"猫".repeat(99)).expect("a quote");
        assert_eq!(long.chars().count(), QUOTED + 3);
    }
}
