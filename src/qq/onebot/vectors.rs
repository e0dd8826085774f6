//! Every recorded payload is read as its file says.

use serde::Deserialize;
use serde_json::Value;

use super::{event, record};
use crate::model::{GroupNumber, QqNumber};

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    read: Reading,
    frame: Value,
    /// The value in the form of `Debug`, with `'` for `"`.
    expected: String,
}

/// What is read from the frame.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reading {
    /// An event.
    Event,
    /// An item of a history, or the data of `get_msg`.
    Message,
    /// The data of `get_forward_msg`.
    Forward,
}

impl Vector {
    fn actual(&self) -> String {
        let debug = match self.read {
            Reading::Event => format!("{:?}", event::read(&self.frame)),
            Reading::Message => {
                let (own, group) = (QqNumber(2_000_000_001), GroupNumber(700_000_001));
                format!("{:?}", event::heard(&self.frame, Some(own), Some(group)))
            }
            Reading::Forward => format!("{:?}", record::read("asked", &self.frame)),
        };
        debug.replace('"', "'")
    }
}

/// What is read otherwise than its file says.
fn wrong(name: &str, text: &str) -> Vec<String> {
    let file: File = serde_json::from_str(text).expect("a file of vectors");
    file.vectors
        .iter()
        .filter(|vector| vector.actual() != vector.expected)
        .map(|vector| {
            format!(
                "{name}/{}\n  read:     {}\n  expected: {}",
                vector.name,
                vector.actual(),
                vector.expected
            )
        })
        .collect()
}

#[test]
fn every_program_is_understood() {
    let files = [
        ("napcat", include_str!("../../../tests/it/vectors/onebot/napcat.json")),
        ("llbot", include_str!("../../../tests/it/vectors/onebot/llbot.json")),
        (
            "lagrange",
            include_str!("../../../tests/it/vectors/onebot/lagrange.json"),
        ),
        (
            "snowluma",
            include_str!("../../../tests/it/vectors/onebot/snowluma.json"),
        ),
        ("gocq", include_str!("../../../tests/it/vectors/onebot/gocq.json")),
        (
            "standard",
            include_str!("../../../tests/it/vectors/onebot/standard.json"),
        ),
        ("others", include_str!("../../../tests/it/vectors/onebot/others.json")),
        (
            "reactions",
            include_str!("../../../tests/it/vectors/onebot/reactions.json"),
        ),
    ];
    let wrong: Vec<String> = files.iter().flat_map(|(name, text)| wrong(name, text)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
