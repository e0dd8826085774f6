//! What an application can ask: one table of actions, with the programs that know them.
//!
//! Each action is one function from parameters to `data`; it works on the [`State`] within the transaction of its call.

mod file;
mod forward;
mod group;
mod history;
mod like;
mod message;
mod own;
mod rule;
mod say;

use serde_json::Value;

use super::dialect::Dialect;
use super::failure::Failure;
use super::params::Params;
use super::tell::is_reached;
use super::view::View;
use crate::state::State;
use crate::world::Flavour::{self, Gocq, Lagrange, Llbot, Napcat};
use crate::world::{Group, Role};

/// A call in work.
pub(super) struct Call<'a> {
    pub(super) state: &'a mut State,
    pub(super) qq: i64,
    /// The message that came into the world by it.
    pub(super) said: Option<i64>,
    /// A sentence for the log.
    pub(super) note: String,
}

impl Call<'_> {
    fn view(&self) -> Result<View<'_>, Failure> {
        View::of(self.state, self.qq).ok_or(Failure::Timeout)
    }

    fn dialect(&self) -> Result<&'static Dialect, Failure> {
        Ok(self.view()?.dialect)
    }

    /// What needs QQ fails while QQ is away.
    fn need_line(&self) -> Result<(), Failure> {
        is_reached(self.state, self.qq).then_some(()).ok_or(Failure::Timeout)
    }

    /// A group that the account is in.
    fn need_group(&self, params: Params<'_>) -> Result<&Group, Failure> {
        let number = params.need_number("group_id")?;
        let group = self.state.world.group(number);
        let group = group.filter(|group| group.member(self.qq).is_some());
        group.ok_or(Failure::NotInGroup(number))
    }

    /// A group in which the account may give orders to that member.
    fn need_power(&self, params: Params<'_>, over: i64) -> Result<i64, Failure> {
        let group = self.need_group(params)?;
        let mine = group.member(self.qq).map(|member| member.role).unwrap_or_default();
        let target = group.member(over).ok_or(Failure::NoMember(over))?;
        (mine > target.role && mine > Role::Member)
            .then_some(group.number)
            .ok_or(Failure::NoRight)
    }

    /// A group of which the account is admin or owner.
    fn need_admin(&self, params: Params<'_>) -> Result<i64, Failure> {
        let group = self.need_group(params)?;
        let admin = group.member(self.qq).is_some_and(|member| member.role > Role::Member);
        admin.then_some(group.number).ok_or(Failure::NoRight)
    }
}

type Action = fn(&mut Call<'_>, Params<'_>) -> Result<Value, Failure>;

const ALL: &[Flavour] = &[Napcat, Llbot, Lagrange, Gocq];
const NT: &[Flavour] = &[Napcat, Llbot];

/// Name, function, and who knows it.
const ACTIONS: [(&str, Action, &[Flavour]); 59] = [
    ("get_login_info", own::login_info, ALL),
    ("get_status", own::status, ALL),
    ("get_version_info", own::version_info, ALL),
    ("get_friend_list", own::friend_list, ALL),
    ("get_stranger_info", own::stranger_info, ALL),
    ("can_send_image", own::yes, ALL),
    ("can_send_record", own::yes, ALL),
    ("mark_msg_as_read", own::nothing, ALL),
    ("mark_group_msg_as_read", own::nothing, &[Napcat]),
    ("mark_private_msg_as_read", own::nothing, &[Napcat]),
    ("get_cookies", own::cookies, ALL),
    ("get_rkey", own::rkey, &[Napcat, Llbot, Lagrange]),
    ("nc_get_rkey", own::rkey, &[Napcat]),
    ("get_group_list", group::list, ALL),
    ("get_group_info", group::info, ALL),
    ("get_group_member_list", group::members, ALL),
    ("get_group_member_info", group::member, ALL),
    ("get_group_shut_list", group::muted, NT),
    ("get_group_at_all_remain", group::at_all, ALL),
    ("send_group_msg", say::to_group, ALL),
    ("send_private_msg", say::to_friend, ALL),
    ("send_msg", say::to_either, ALL),
    ("send_group_forward_msg", say::forward_to_group, ALL),
    ("send_private_forward_msg", say::forward_to_friend, ALL),
    ("send_forward_msg", say::forward_to_either, &[Napcat, Llbot, Lagrange]),
    ("forward_group_single_msg", say::single_to_group, NT),
    ("delete_msg", message::delete, ALL),
    ("get_msg", message::get, ALL),
    ("get_forward_msg", forward::get, ALL),
    ("get_group_msg_history", history::of_group, ALL),
    ("get_friend_msg_history", history::of_friend, &[Napcat, Llbot, Lagrange]),
    ("set_msg_emoji_like", like::set, NT),
    ("unset_msg_emoji_like", like::unset, &[Llbot]),
    ("set_group_reaction", like::reaction, &[Lagrange]),
    ("fetch_emoji_like", like::fetch, NT),
    ("get_emoji_likes", like::get, &[Napcat]),
    ("set_group_ban", rule::ban, ALL),
    ("set_group_whole_ban", rule::ban_all, ALL),
    ("set_group_kick", rule::kick, ALL),
    ("set_group_card", rule::card, ALL),
    ("set_group_name", rule::name, ALL),
    ("set_group_admin", rule::admin, ALL),
    ("set_group_special_title", rule::title, ALL),
    ("set_group_leave", rule::leave, ALL),
    ("group_poke", rule::poke_in_group, &[Napcat, Llbot, Lagrange]),
    ("friend_poke", rule::poke_friend, &[Napcat, Llbot, Lagrange]),
    ("send_poke", rule::poke, &[Napcat, Lagrange]),
    ("set_essence_msg", message::essence, ALL),
    ("delete_essence_msg", message::essence, ALL),
    ("get_image", file::image, ALL),
    ("get_file", file::file, NT),
    ("get_record", file::record, ALL),
    ("get_group_file_url", file::group_url, ALL),
    ("get_private_file_url", file::private_url, NT),
    ("upload_group_file", file::upload_to_group, ALL),
    ("upload_private_file", file::upload_to_friend, ALL),
    ("get_group_root_files", file::root, ALL),
    ("clean_cache", own::nothing, &[Napcat, Llbot]),
    ("set_restart", own::nothing, &[Napcat, Llbot]),
];

/// Whether an action sends something that people see.
pub(super) fn sends(name: &str) -> bool {
    name.starts_with("send_") && name != "send_poke" || name.starts_with("upload_") || name.starts_with("forward_")
}

/// Does what an action asks for.
pub(super) fn run(call: &mut Call<'_>, name: &str, params: Params<'_>) -> Result<Value, Failure> {
    let flavour = call.dialect()?.flavour;
    let known = ACTIONS
        .iter()
        .find(|(known, _, who)| *known == name && who.contains(&flavour));
    let (_, action, _) = known.ok_or_else(|| Failure::Unknown(name.to_owned()))?;
    action(call, params)
}
