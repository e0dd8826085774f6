//! The parameters of a call, read as leniently as the programs do: numbers as text, text as numbers, booleans as either.

use serde_json::Value;

use super::failure::Failure;

/// Named values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params<'a>(&'a Value);

impl<'a> Params<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        Self(value)
    }

    pub(crate) fn value(self, name: &str) -> &'a Value {
        &self.0[name]
    }

    /// A number, also when it is written as text.
    pub(crate) fn number(self, name: &str) -> Option<i64> {
        match &self.0[name] {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number is meant; JavaScript knows no other"
            )]
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A text, also when it is written as a number.
    pub(crate) fn text(self, name: &str) -> Option<String> {
        match &self.0[name] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => None,
        }
    }

    /// Yes or no, also when it is written as text or number.
    pub(crate) fn truth(self, name: &str) -> Option<bool> {
        match &self.0[name] {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) => Some(text == "true" || text == "1"),
            Value::Number(number) => Some(number.as_i64() != Some(0)),
            _ => None,
        }
    }

    pub(crate) fn need_number(self, name: &'static str) -> Result<i64, Failure> {
        self.number(name).ok_or(Failure::BadParam(name))
    }

    pub(crate) fn need_text(self, name: &'static str) -> Result<String, Failure> {
        self.text(name).ok_or(Failure::BadParam(name))
    }
}
