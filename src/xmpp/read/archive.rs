//! Archive queries (XEP-0313 with XEP-0059).

use jid::Jid;
use minidom::Element;
use xmpp_parsers::data_forms::{DataForm, Field};
use xmpp_parsers::date::DateTime;
use xmpp_parsers::ns::{DATA_FORMS, MAM, RSM};

use crate::model::{Seq, Timestamp};
use crate::xmpp::render::Ids;

/// Rows of a page when the client does not say.
const DEFAULT_MAX: usize = 50;
/// Rows of a page at most.
const MOST: usize = 250;
/// Ids in one question at most.
const MOST_IDS: usize = 250;

/// A wish for a page of the archive, as the store understands it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The client's name for the question, repeated in every result.
    pub queryid: Option<String>,
    /// Said at this time or later.
    pub start: Option<Timestamp>,
    /// Said at this time or earlier.
    pub end: Option<Timestamp>,
    /// Rows behind this one, exclusive.
    pub after_id: Option<Seq>,
    /// Rows before this one, exclusive.
    pub before_id: Option<Seq>,
    /// Exactly these rows; empty means any.
    pub ids: Vec<Seq>,
    /// Only what this occupant or person said; the room finds out who it is.
    pub with: Option<Jid>,
    /// The page wanted.
    pub page: PageWanted,
    /// Rows on the page, at most; 0 asks for the count alone.
    pub max: usize,
    /// Newest first.
    pub flip: bool,
}

/// Which page of the filtered rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PageWanted {
    /// From the beginning.
    #[default]
    First,
    /// Behind this row.
    After(Seq),
    /// Before this row.
    Before(Seq),
    /// The last page.
    Last,
}

/// What is wrong with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// A form or value that cannot be read: `bad-request`.
    Malformed,
    /// An id that is not of this archive: `item-not-found`.
    UnknownId,
    /// A form field or paging that is not offered: `feature-not-implemented`.
    NotOffered,
}

/// Reads `<query/>` of an iq set.
pub fn read(query: &Element, ids: &Ids) -> Result<Query, Wrong> {
    let mut out = Query {
        queryid: query.attr("queryid").map(ToOwned::to_owned),
        max: DEFAULT_MAX,
        flip: query.has_child("flip-page", MAM),
        ..Query::default()
    };
    if let Some(form) = query.get_child("x", DATA_FORMS) {
        let form = DataForm::try_from(form.clone()).map_err(|_| Wrong::Malformed)?;
        if form.form_type().is_some_and(|t| t != MAM) {
            return Err(Wrong::Malformed);
        }
        for field in &form.fields {
            read_field(field, ids, &mut out)?;
        }
    }
    if let Some(set) = query.get_child("set", RSM) {
        read_page(set, ids, &mut out)?;
    }
    Ok(out)
}

fn read_field(field: &Field, ids: &Ids, out: &mut Query) -> Result<(), Wrong> {
    let Some(var) = field.var.as_deref() else { return Ok(()) };
    let value = field.values.first().map(String::as_str).filter(|v| !v.is_empty());
    match (var, value) {
        ("ids", _) => {
            if field.values.len() > MOST_IDS {
                return Err(Wrong::Malformed);
            }
            out.ids = field.values.iter().map(|id| known(ids, id)).collect::<Result<_, _>>()?;
        }
        ("FORM_TYPE" | "include-groupchat", _) | ("with" | "start" | "end" | "after-id" | "before-id", None) => {}
        ("with", Some(jid)) => out.with = Some(Jid::new(jid).map_err(|_| Wrong::Malformed)?),
        ("start", Some(at)) => out.start = Some(time(at).ok_or(Wrong::Malformed)?),
        ("end", Some(at)) => out.end = Some(time(at).ok_or(Wrong::Malformed)?),
        ("after-id", Some(id)) => out.after_id = Some(known(ids, id)?),
        ("before-id", Some(id)) => out.before_id = Some(known(ids, id)?),
        _ => return Err(Wrong::NotOffered),
    }
    Ok(())
}

fn read_page(set: &Element, ids: &Ids, out: &mut Query) -> Result<(), Wrong> {
    let text = |name: &str| set.get_child(name, RSM).map(Element::text);
    if let Some(max) = text("max") {
        let max: usize = max.trim().parse().map_err(|_| Wrong::Malformed)?;
        out.max = max.min(MOST);
    }
    out.page = match (text("after"), text("before")) {
        (Some(id), _) => PageWanted::After(known(ids, &id)?),
        (None, Some(id)) if id.is_empty() => PageWanted::Last,
        (None, Some(id)) => PageWanted::Before(known(ids, &id)?),
        (None, None) if set.has_child("index", RSM) => return Err(Wrong::NotOffered),
        (None, None) => PageWanted::First,
    };
    Ok(())
}

fn known(ids: &Ids, id: &str) -> Result<Seq, Wrong> {
    ids.seq(id).ok_or(Wrong::UnknownId)
}

/// A point in time (XEP-0082).
pub fn time(text: &str) -> Option<Timestamp> {
    let at: DateTime = text.trim().parse().ok()?;
    Some(Timestamp(at.0.timestamp_millis()))
}
