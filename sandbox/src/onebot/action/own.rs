//! Questions about the account itself, its program and its friends.

#![allow(clippy::unnecessary_wraps, reason = "all actions have one type")]

use serde_json::{Value, json};

use super::super::dialect::Errors;
use super::super::failure::Failure;
use super::super::params::Params;
use super::Call;
use crate::world::Flavour;

pub(super) fn login_info(call: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    Ok(json!({"user_id": call.qq, "nickname": call.view()?.account.nickname}))
}

pub(super) fn status(call: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    let online = call.need_line().is_ok() || call.state.faults.has("silent_offline", call.qq);
    let mut status = json!({"online": online, "good": true});
    match call.dialect()?.errors {
        Errors::NapCat => status["stat"] = json!({}),
        Errors::Gocq => {
            let calls = call.state.onebot.run(call.qq).calls;
            status["stat"] = json!({"packet_received": calls, "packet_sent": calls, "packet_lost": 0});
        }
        Errors::Llbot | Errors::Lagrange => {}
    }
    Ok(status)
}

pub(super) fn version_info(call: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    let dialect = call.dialect()?;
    Ok(json!({"app_name": dialect.app_name, "app_version": dialect.app_version, "protocol_version": "v11"}))
}

pub(super) fn friend_list(call: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    let view = call.view()?;
    let friends = view.account.friends.iter().map(|friend| {
        let mut shown = json!({"user_id": friend.qq, "nickname": friend.nickname, "remark": friend.markname});
        if matches!(view.dialect.flavour, Flavour::Napcat | Flavour::Llbot) {
            shown["sex"] = json!("unknown");
            shown["level"] = json!(0);
        }
        shown
    });
    Ok(friends.collect())
}

pub(super) fn stranger_info(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let qq = params.need_number("user_id")?;
    let view = call.view()?;
    let nickname = view.state.world.nickname(qq).ok_or(Failure::NoFriend(qq))?;
    let mut shown = json!({"user_id": qq, "nickname": nickname, "sex": "unknown", "age": 0});
    if view.dialect.flavour == Flavour::Napcat {
        for name in ["uid", "qid", "long_nick", "remark"] {
            shown[name] = json!("");
        }
        shown["qqLevel"] = json!(0);
        shown["is_vip"] = json!(false);
    }
    Ok(shown)
}

pub(super) fn yes(_: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    Ok(json!({"yes": true}))
}

pub(super) fn nothing(_: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    Ok(Value::Null)
}

pub(super) fn cookies(_: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    Ok(json!({"cookies": ""}))
}

pub(super) fn rkey(call: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    let (now, rkey) = (call.state.clock.now(), call.state.rkey());
    let one = |kind: &str| json!({"type": kind, "rkey": format!("&rkey={rkey}"), "ttl": 3600, "created_at": now});
    Ok(json!([one("private"), one("group")]))
}
