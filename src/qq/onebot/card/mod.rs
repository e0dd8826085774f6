//! Cards: the `json` and `xml` segments of QQ, and the standard's own kinds (location, contact, share, music). Pure.

pub(super) mod json;
pub(super) mod xml;

use serde_json::Value;

use super::field;
use crate::model::{Card, Part};

/// Bytes of a headline.
pub(super) const TITLE_MAX: usize = 300;
/// Bytes of what stands below it.
const DESCRIPTION_MAX: usize = 2000;

/// A card with its texts cut to their bounds. The headline is the first that is not empty; without any it is `app`.
fn card(app: &str, titles: &[&str], description: &str, link: Option<String>) -> Part {
    let mut titles = titles.iter().map(|title| field::line(title, TITLE_MAX));
    let app = field::line(app, 100);
    let title = titles.find(|title| !title.is_empty()).unwrap_or_else(|| app.clone());
    let description = field::lines(description, DESCRIPTION_MAX).trim().to_owned();
    Part::Card(Card {
        description: if description == title {
            String::new()
        } else {
            description
        },
        app,
        title,
        link,
    })
}

/// An address as cards have it: perhaps without its scheme. Nothing for those that only QQ understands (`mqqapi:`).
fn link(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("//") {
        return field::url(&format!("https://{rest}"));
    }
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let bare = host.contains('.')
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if bare {
        field::url(&format!("https://{text}"))
    } else {
        field::url(text)
    }
}

/// A place on the map as an address (RFC 5870).
fn geo(lat: &str, lon: &str) -> Option<String> {
    let within = |text: &str, max: f64| text.trim().parse::<f64>().ok().filter(|degrees| degrees.abs() <= max);
    let (lat, lon) = (within(lat, 90.0)?, within(lon, 180.0)?);
    Some(format!("geo:{lat},{lon}"))
}

/// The standard's `location`; Lagrange's too.
pub(super) fn location(data: &Value) -> Part {
    let place = geo(&field::scalar(&data["lat"]), &field::first(data, &["lon", "lng"]));
    let description = field::first(data, &["content", "address"]);
    card(
        "location",
        &[&field::first(data, &["title", "name"]), "位置"],
        &description,
        place,
    )
}

/// The standard's `contact`: a person or a group is recommended.
pub(super) fn contact(data: &Value) -> Part {
    let kind = match field::text(&data["type"]) {
        "group" => "推荐群聊",
        _ => "推荐好友",
    };
    let name = field::first(data, &["name", "nickname"]);
    let id = field::scalar(&data["id"]);
    let whom = if name.is_empty() { id } else { format!("{name} ({id})") };
    card("contact", &[&format!("{kind}：{whom}")], "", None)
}

/// The standard's `share`: a link.
pub(super) fn share(data: &Value) -> Part {
    let url = field::text(&data["url"]);
    card(
        "share",
        &[field::text(&data["title"]), url],
        field::text(&data["content"]),
        link(url),
    )
}

/// The standard's `music`: by a service's id, or with everything.
pub(super) fn music(data: &Value) -> Part {
    let id = field::line(&field::scalar(&data["id"]), 40);
    let service = field::text(&data["type"]);
    let known = match service {
        "163" => Some(format!("https://music.163.com/#/song?id={id}")),
        "qq" => Some(format!("https://y.qq.com/n/ryqq/songDetail/{id}")),
        _ => None,
    };
    let known = known.filter(|_| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()));
    let url = link(&field::first(data, &["url", "audio"]));
    let title = field::text(&data["title"]);
    card("music", &[title, "音乐"], field::text(&data["content"]), url.or(known))
}

#[cfg(test)]
mod tests;
