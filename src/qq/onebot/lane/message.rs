//! From what was heard to a neutral message: identity by dialect, names from the list of members, forwarded records fetched.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout_at};

use crate::model::{GroupNumber, Member, MemberId, Mention, Message, Part, Poke, QqNumber, Role, Timestamp};
use crate::qq::onebot::event::Heard;
use crate::qq::onebot::session::Session;
use crate::qq::onebot::{record, roster};

/// A forwarded record, or a member, that does not come within this time is shown without.
const LOOKUP: Duration = Duration::from_secs(5);

impl Session {
    /// The message, as far as is known without asking; nothing when there is nothing to show.
    pub(in crate::qq::onebot) fn message(&self, heard: Heard) -> Option<Message> {
        if heard.parts.is_empty() {
            return None;
        }
        let roster = self.roster();
        let own = heard.own || heard.sender.id == MemberId::Number(roster.own);
        let id = roster.dialect.event_id(&heard);
        let members = roster.groups.get(&heard.group).map(|group| &group.members);
        let known = |number: QqNumber| members.and_then(|members| members.get(&number));
        let mut sender = heard.sender;
        if let Some(known) = sender.id.number().and_then(known) {
            complete(&mut sender, known);
        }
        let mut parts = heard.parts;
        for part in &mut parts {
            if let Part::Mention(mention) | Part::Poke(Poke { target: mention, .. }) = part {
                name(mention, known);
            }
        }
        Some(Message {
            id,
            handle: Some(heard.handle),
            sender,
            own,
            time: heard.time.unwrap_or_else(Timestamp::now),
            parts,
        })
    }

    /// Who a member is; a stranger has their number alone.
    pub(in crate::qq::onebot) fn person(&self, group: GroupNumber, number: QqNumber) -> Member {
        let roster = self.roster();
        let known = roster.groups.get(&group).and_then(|group| group.members.get(&number));
        known.cloned().unwrap_or_else(|| Member {
            id: MemberId::Number(number),
            nickname: String::new(),
            card: String::new(),
            role: Role::Member,
        })
    }

    /// Asks who a member is.
    pub(in crate::qq::onebot) async fn ask_person(&self, group: GroupNumber, number: QqNumber) -> Option<Member> {
        let params = json!({"group_id": group.0, "user_id": number.0, "no_cache": true});
        let answer = self.call("get_group_member_info", params, LOOKUP).await;
        match answer {
            Ok(data) => roster::member(&data)
                .map(|(member, ..)| member)
                .filter(|member| member.id == MemberId::Number(number)),
            Err(error) => {
                tracing::debug!(account = %self.settings.name, %group, member = %number, %error, "a member was not read");
                None
            }
        }
    }

    /// Fetches what was forwarded as one, where the message does not hold it.
    pub(in crate::qq::onebot) async fn fetch_records(&self, parts: &mut [Part]) {
        let until = Instant::now() + LOOKUP;
        for part in parts {
            let Part::Record(known) = part else { continue };
            if !record::wants_fetching(known) {
                continue;
            }
            let (id, title) = (known.id.clone(), std::mem::take(&mut known.title));
            // Programs do not agree on the key.
            let params = json!({"id": id.as_str(), "message_id": id.as_str()});
            let call = self.call("get_forward_msg", params, LOOKUP);
            match timeout_at(until, call).await {
                Ok(Ok(data)) => {
                    *known = record::read(&id, &data);
                }
                Ok(Err(error)) => {
                    tracing::info!(account = %self.settings.name, %error, "a forwarded record was not fetched");
                }
                Err(_) => tracing::info!(account = %self.settings.name, "a forwarded record came too slowly"),
            }
            known.title = title;
        }
    }
}

/// What the event left out. It never says that somebody is an owner or an administrator no longer: a notice does.
fn complete(sender: &mut Member, known: &Member) {
    if sender.nickname.is_empty() {
        sender.nickname.clone_from(&known.nickname);
    }
    if sender.role == Role::Member {
        sender.role = known.role;
    }
}

fn name<'a>(mention: &mut Mention, known: impl Fn(QqNumber) -> Option<&'a Member>) {
    let named = mention.name.is_empty().then_some(mention.member.as_ref()).flatten();
    if let Some(member) = named.and_then(MemberId::number).and_then(known) {
        mention.name = member.shown_name();
    }
}
