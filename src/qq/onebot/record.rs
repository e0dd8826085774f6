//! Forwarded records (合并转发): the answers of `get_forward_msg` in all their shapes, and inline content. Pure.
//!
//! ```text
//! {"message": [node…]}                         the standard, Lagrange: node = {"type": "node", "data": {user_id, nickname, content}}
//! {"messages": [{content, sender, time}…]}     go-cqhttp, LLBot
//! {"messages": [event…]}                       NapCat: whole events, records in them with their content
//! [node or event…]                             the content of a forward segment
//! ```

use serde_json::Value;

use super::field;
use super::segment::{self, Budget};
use crate::model::{Part, QqNumber, Record, RecordLine};

/// Records inside records are read so deep.
const DEPTH_MAX: usize = 4;
/// Stands for everybody whom QQ does not name.
const HIDDEN: QqNumber = QqNumber(1_094_950_020);

/// Reads the data of a `get_forward_msg` answer, or a list of nodes or messages. `id` is what was asked by. Lines past the bound
/// are counted in `more`.
pub(super) fn read(id: &str, data: &Value) -> Record {
    let mut record = Record {
        id: field::file(id),
        ..Record::default()
    };
    fill(&mut record, data, &mut Budget::record(), 0);
    record
}

/// Whether only the beginning of a record is known, or nothing, and there is more to ask for.
pub(super) fn wants_fetching(record: &Record) -> bool {
    !record.id.is_empty()
        && record
            .lines
            .iter()
            .all(|line| line.sender.is_none() && line.time.is_none())
}

/// Reads the lines of a record as far as `budget` and depth allow.
pub(super) fn fill(record: &mut Record, data: &Value, budget: &mut Budget, depth: usize) {
    let nodes = nodes(data);
    if depth >= DEPTH_MAX {
        record.more = nodes.len();
        return;
    }
    for (at, node) in nodes.iter().enumerate() {
        if !budget.take_line() {
            record.more = nodes.len() - at;
            return;
        }
        record.lines.push(line(node, budget, depth));
    }
}

fn nodes(data: &Value) -> &[Value] {
    let lists = [data, &data["messages"], &data["message"], &data["content"]];
    let list = lists.into_iter().find(|list| list.is_array());
    list.map_or(&[], field::items)
}

fn line(node: &Value, budget: &mut Budget, depth: usize) -> RecordLine {
    let node = if node["type"] == "node" { &node["data"] } else { node };
    let sender = &node["sender"];
    let numbers = [&sender["user_id"], &node["user_id"], &node["uin"]];
    let names = [&sender["card"], &sender["nickname"], &node["nickname"], &node["name"]];
    let content = [&node["message"], &node["content"]];
    let content = content.into_iter().find(|content| !content.is_null());
    let mut parts = Vec::new();
    segment::read_into(&mut parts, content.unwrap_or(&Value::Null), budget, depth + 1);
    if parts.is_empty() {
        parts.push(Part::Marker("something that cannot be shown here".to_owned()));
    }
    let number = numbers.into_iter().find_map(field::user).filter(|user| *user != HIDDEN);
    let mut names = names.into_iter().map(field::name);
    RecordLine {
        name: names
            .find(|name| !name.is_empty())
            .or_else(|| number.map(|number| number.to_string()))
            .unwrap_or_else(|| "QQ用户".to_owned()),
        sender: number,
        time: field::time(&node["time"]),
        parts,
    }
}

#[cfg(test)]
mod tests;
