//! Pictures, voices and files: taken out of messages, kept by name, and given out at `/download` for an hour, as QQ's own
//! hosts do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::net::{Reply, Request};
use crate::onebot::hex_name;
use crate::state::State;
use crate::store::StoreError;
use crate::webqq::gray_png;
use crate::world::{Segment, text_of};

/// How long an address is good, in seconds.
const ADDRESS_LIFE: i64 = 3600;
/// The side of a picture that nobody brought.
const SIDE: usize = 64;
/// The largest of the bytes that one segment may bring.
const LARGEST: usize = 40 * 1024 * 1024;

impl State {
    /// Takes the bytes out of segments and keeps them; what has neither bytes nor an address gets a picture.
    pub(crate) fn keep_media(&mut self, segments: Vec<Segment>) -> Result<Vec<Segment>, StoreError> {
        segments.into_iter().map(|segment| self.keep_one(segment)).collect()
    }

    fn keep_one(&mut self, segment: Segment) -> Result<Segment, StoreError> {
        let Segment::Other { kind, mut data } = segment else {
            return Ok(segment);
        };
        if kind == "forward" {
            if let Some(Value::Array(nodes)) = data.get_mut("content") {
                for node in nodes {
                    self.keep_in_node(node)?;
                }
            }
        } else if ["image", "record", "video", "file"].contains(&kind.as_str()) {
            self.keep_bytes(&kind, &mut data)?;
        }
        Ok(Segment::Other { kind, data })
    }

    fn keep_in_node(&mut self, node: &mut Value) -> Result<(), StoreError> {
        let Ok(segments) = serde_json::from_value::<Vec<Segment>>(node["message"].clone()) else {
            return Ok(());
        };
        node["message"] = json!(self.keep_media(segments)?);
        Ok(())
    }

    fn keep_bytes(&mut self, kind: &str, data: &mut Map<String, Value>) -> Result<(), StoreError> {
        let file = text_of(data, "file");
        let brought = bytes_of(&file);
        let shown = if brought.is_some() { String::new() } else { file };
        let body = match brought {
            Some(body) => body,
            None if !text_of(data, "url").is_empty() => {
                let id = hex_name(&text_of(data, "url"));
                data.entry("file_id").or_insert_with(|| json!(format!("/{id}")));
                return Ok(());
            }
            None => gray_png(&vec![0x80; SIDE * SIDE], SIDE).unwrap_or_default(),
        };
        let body = &body[..body.len().min(LARGEST)];
        let ending = match kind {
            "image" => "png",
            "record" => "amr",
            "video" => "mp4",
            _ => "bin",
        };
        let number = self.next_number("last_media")?;
        let name = match kind {
            "file" => format!("{}-{number}", hex_name(&number.to_string()).to_lowercase()),
            _ if !shown.is_empty() => shown.clone(),
            _ => format!("{}.{ending}", hex_name(&format!("{number}:{}", body.len()))),
        };
        self.store.put_media(&name, body)?;
        if kind == "file" {
            let called = if shown.is_empty() { "file".to_owned() } else { shown };
            data.entry("name").or_insert_with(|| json!(called));
            data.insert("file_id".to_owned(), json!(format!("/{name}")));
        }
        data.insert("file".to_owned(), json!(name));
        data.insert("file_size".to_owned(), json!(body.len().to_string()));
        Ok(())
    }

    /// The key that makes an address good for a while.
    pub(crate) fn rkey(&self) -> String {
        format!("SB{:x}", self.clock.now())
    }

    /// An address for what is kept under a name.
    pub(crate) fn media_url(&self, name: &str) -> String {
        let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        format!("{}/download?appid=1407&fileid={name}&rkey={}", self.base, self.rkey())
    }

    /// How many bytes are kept under a name.
    pub(crate) fn media_size(&self, name: &str) -> Result<Option<usize>, StoreError> {
        Ok(self.store.media(name)?.map(|body| body.len()))
    }
}

/// The bytes that stand in a `file` themselves: `base64://…`, `data:…;base64,…`.
pub(crate) fn bytes_of(file: &str) -> Option<Vec<u8>> {
    let in_data = || {
        file.strip_prefix("data:")?
            .split_once(";base64,")
            .map(|(_, coded)| coded)
    };
    let coded = file.strip_prefix("base64://").or_else(in_data)?;
    STANDARD.decode(coded.trim()).ok()
}

/// `GET /download?fileid=&rkey=`: what is kept under a name, while its address is good.
pub(crate) fn serve(state: &mut State, request: &Request) -> Result<Reply, StoreError> {
    let issued = request.param("rkey").and_then(|rkey| rkey.strip_prefix("SB"));
    let issued = issued.and_then(|issued| i64::from_str_radix(issued, 16).ok());
    let age = issued.map_or(i64::MAX, |issued| state.clock.now() - issued);
    if !(0..=ADDRESS_LIFE).contains(&age) {
        let told = json!({"retcode": -5_503_007, "retmsg": "download url has expired", "retryflag": 0});
        return Ok(Reply::json(&told).coded(400));
    }
    let name = request.param("fileid").unwrap_or_default();
    let Some(body) = state.store.media(name)? else {
        return Ok(Reply::error(404, "nothing is kept under that name"));
    };
    let kind = match body.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xFF, 0xD8, ..] => "image/jpeg",
        [b'G', b'I', b'F', ..] => "image/gif",
        _ => "application/octet-stream",
    };
    Ok(Reply::new(kind, body))
}
