//! Pictures, voices and files: where they can be fetched, and sending them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::params::Params;
use super::Call;
use super::say::post;
use crate::media::bytes_of;
use crate::world::{Chat, Flavour, Segment};

/// The name by which the world keeps what the call names: a name, or the id of a file.
fn named(call: &Call<'_>, params: Params<'_>) -> Result<(String, usize), Failure> {
    let name = params
        .text("file_id")
        .or_else(|| params.text("file"))
        .ok_or(Failure::BadParam("file"))?;
    let name = name.trim_start_matches('/');
    // In the notice of an upload NapCat has an id of its own.
    let plain = name.strip_prefix("NC").unwrap_or(name);
    let name = if call.state.media_size(name)?.is_some() {
        name
    } else {
        plain
    };
    let name = name.to_owned();
    let size = call
        .state
        .media_size(&name)?
        .ok_or_else(|| Failure::NoFile(name.clone()))?;
    Ok((name, size))
}

fn described(call: &Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let (name, size) = named(call, params)?;
    Ok(json!({
        "file": format!("/app/.config/QQ/{name}"), "url": call.state.media_url(&name), "file_size": size.to_string(),
        "file_name": name,
    }))
}

pub(super) fn image(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    described(call, params)
}

pub(super) fn file(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    described(call, params)
}

pub(super) fn record(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let mut shown = described(call, params)?;
    if call.dialect()?.flavour == Flavour::Napcat {
        let (name, _) = named(call, params)?;
        let body = call.state.store.media(&name)?.unwrap_or_default();
        shown["base64"] = json!(STANDARD.encode(body));
    }
    Ok(shown)
}

pub(super) fn group_url(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_group(params)?;
    private_url(call, params)
}

pub(super) fn private_url(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let (name, _) = named(call, params)?;
    Ok(json!({"url": call.state.media_url(&name)}))
}

pub(super) fn root(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_group(params)?;
    Ok(json!({"files": [], "folders": []}))
}

pub(super) fn upload_to_group(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let group = call.need_group(params)?.number;
    upload(call, Chat::Group(group), params)
}

pub(super) fn upload_to_friend(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = super::say::either(call, params)?;
    upload(call, chat, params)
}

fn upload(call: &mut Call<'_>, chat: Chat, params: Params<'_>) -> Result<Value, Failure> {
    let (file, name) = (params.need_text("file")?, params.need_text("name")?);
    call.need_line()?;
    let segment = if file.starts_with("http") {
        Segment::other(
            "file",
            [("file", json!(name)), ("url", json!(file)), ("name", json!(name))],
        )
    } else if bytes_of(&file).is_some() {
        Segment::other("file", [("file", json!(file)), ("name", json!(name))])
    } else {
        return Err(Failure::NoFile(file));
    };
    post(call, chat, vec![segment])?;
    let said = call.said.map(|id| call.state.store.message(id)).transpose()?.flatten();
    let id = said.and_then(|message| match message.segments.into_iter().next() {
        Some(Segment::Other { data, .. }) => data.get("file_id").cloned(),
        _ => None,
    });
    Ok(match call.dialect()?.flavour {
        Flavour::Napcat => json!({"file_id": id}),
        _ => Value::Null,
    })
}
