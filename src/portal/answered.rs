//! What a reply from QQ answers: the row in the room, and how it begins.

use super::draft::Draft;
use super::turn::Portal;
use crate::model::words::{action, plain_text};
use crate::model::{AccountName, Answered, Content, GroupNumber, Language, Part, Seq};
use crate::xmpp::read::message::said;
use crate::xmpp::render::children::to_message;

/// Of what is answered so many characters are quoted.
const QUOTED: usize = 200;

impl Portal {
    /// Fills in what a reply answers, and gives the row. It may have been said in the same turn: then that is committed, once.
    pub(super) async fn find_answered(
        &mut self,
        account: &AccountName,
        group: GroupNumber,
        parts: &mut [Part],
        draft: &mut Draft,
    ) -> anyhow::Result<Option<Seq>> {
        let Some(Part::Reply(reply)) = parts.iter_mut().find(|part| matches!(part, Part::Reply(_))) else {
            return Ok(None);
        };
        let store = self.wiring.store.clone();
        let mut row = store.named(self.id, account, group, &reply.handle).await?;
        if row.is_none() && draft.has_messages() {
            self.commit(std::mem::take(draft)).await?;
            row = store.named(self.id, account, group, &reply.handle).await?;
        }
        let Some(row) = row else { return Ok(None) };
        reply.answered = Some(Answered {
            row: row.seq,
            nick: row.nick.to_string(),
            text: beginning(&row.content, self.settings.language),
        });
        Ok(Some(row.seq))
    }
}

/// How a row begins, as a person would read it; empty when there are no words (any more).
pub(super) fn beginning(content: &Content, language: Language) -> String {
    let text = match content {
        Content::Parts(parts) => action(parts, language).unwrap_or_else(|| plain_text(parts, language)),
        Content::Stanza { children, .. } => said(&to_message(children)).map(|said| said.text).unwrap_or_default(),
        Content::Notice(text) => text.clone(),
        Content::Retraction { .. } | Content::Tombstone { .. } | Content::Reactions { .. } => String::new(),
    };
    text.trim().chars().take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_begins_with_its_own_words() {
        let stanza = |children: &str| Content::Stanza {
            id: None,
            children: children.into(),
        };
        let reply = "<body xmlns='jabber:component:accept'>&gt; old\nnew</body>\
            <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='6'/></fallback>";
        assert_eq!(beginning(&stanza(reply), Language::En), "new");
        assert_eq!(beginning(&stanza("<broken"), Language::En), "");
        let long = Content::Parts(vec![Part::Text("猫".repeat(1000))]);
        assert_eq!(beginning(&long, Language::En), "猫".repeat(QUOTED));
        let picture = Content::Parts(vec![Part::Marker("图片".into())]);
        assert_eq!(beginning(&picture, Language::En), "[图片]");
    }
}
