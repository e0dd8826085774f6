//! The members of a group, as the list tells them, and each as a sender.

use tokio::time::{Instant, timeout_at};

use super::api::Of;
use super::contacts;
use super::people::LOOKUP;
use super::roster::{Mapped, is_service, service};
use super::session::Session;
use crate::model::{GroupNumber, Member, Role};

impl Session {
    /// Reads a group's members. The caller has the turn to read.
    pub(super) async fn read_people(&self, group: GroupNumber) {
        let code = {
            let mut roster = self.roster();
            let Some(mapped) = roster.mapped.get_mut(&group) else {
                return;
            };
            mapped.asked = Some(Instant::now());
            let Some(group) = &mapped.group else { return };
            group.code
        };
        let answer = match self.api.group_info(code).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(account = %self.settings.name, %group, %error, "the members were not read");
                return;
            }
        };
        let code = answer.retcode.unwrap_or(-1);
        let info = contacts::group_info(answer.result()).filter(|_| matches!(code, 0 | 100_003));
        self.judge_list(code);
        let Some(info) = info else {
            // The temporary ids are stale.
            if code == 6 {
                self.groups_changed();
            }
            tracing::warn!(account = %self.settings.name, %group, code, "QQ refused the list of members");
            return;
        };
        if let Some(mapped) = self.roster().mapped.get_mut(&group) {
            mapped.take_people(info.people, code != 0);
            mapped.read = Some(Instant::now());
            mapped.stale = false;
            if let Some(group) = mapped.group.as_mut().filter(|_| !info.name.is_empty()) {
                group.name = info.name;
            }
        }
    }

    /// Who said something: with name and number as far as they can be had. Reads the members anew for an unknown one, at most
    /// once a minute.
    pub(super) async fn sender(&self, group: GroupNumber, uin: u64) -> Member {
        if is_service(uin) {
            return service();
        }
        let find = || self.roster().mapped.get(&group).and_then(|m| m.person(uin).cloned());
        let mut person = find();
        let limit = self.roster().lookups_until;
        let until = limit.unwrap_or_else(|| Instant::now() + LOOKUP);
        if person.is_none()
            && let Ok(_turn) = timeout_at(until, self.reading.lock()).await
        {
            person = find();
            let retry = self.settings.pace.retry;
            // Of somebody new the service said so itself: that is worth a question, but not each.
            let patience = |m: &Mapped| if m.stale { retry / 12 } else { retry };
            let may_ask = self
                .roster()
                .mapped
                .get(&group)
                .is_some_and(|m| m.read.is_none() || m.asked.is_none_or(|at| at.elapsed() > patience(m)));
            if person.is_none() && may_ask {
                timeout_at(until, self.read_people(group)).await.ok();
                person = find();
                self.look.notify_one();
            }
        }
        let own = uin == self.api.own();
        let person = person.unwrap_or_else(|| contacts::Person {
            uin,
            nick: if own { self.roster().nick.clone() } else { String::new() },
            card: String::new(),
            role: Role::Member,
        });
        let asked = async {
            match self.real_number(uin, Of::Person, true).await {
                None => self.real_number(uin, Of::Person, true).await,
                told => told,
            }
        };
        let number = timeout_at(until, asked).await.ok().flatten();
        person.member(number)
    }
}
