//! A long message in several pieces that QQ accepts, cut where a reader would cut. Pure.

use unicode_segmentation::UnicodeSegmentation;

use crate::model::Language;
use crate::model::words::plain_text;
use crate::model::{Mention, Part};

/// Begins every piece but the first, so that a reader sees that it goes on.
const GOES_ON: &str = "… ";

/// How much one message of a protocol holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In `unit`.
    pub max: usize,
    /// What is counted.
    pub unit: Unit,
    /// What a face takes, in `unit`.
    pub face: usize,
}

/// What [`Limits`] count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of UTF-8, `<` and `>` as their full-width forms.
    Bytes,
    /// Unicode characters.
    Chars,
}

impl Limits {
    /// The web protocol: clients cut at 720 bytes of UTF-8; the service's own limit was never proven. Eight are left to the
    /// session, which makes equal texts different.
    pub const fn webqq() -> Self {
        Self {
            max: 712,
            unit: Unit::Bytes,
            face: 12,
        }
    }

    /// `OneBot`: today's QQ takes some thousand characters.
    pub const fn onebot() -> Self {
        Self {
            max: 3000,
            unit: Unit::Chars,
            face: 1,
        }
    }

    fn of_text(self, text: &str) -> usize {
        match self.unit {
            Unit::Chars => text.chars().count(),
            // They go out as ＜ and ＞, which take three bytes.
            Unit::Bytes => text.len() + 2 * text.bytes().filter(|b| matches!(b, b'<' | b'>')).count(),
        }
    }

    fn of_part(self, part: &Part) -> usize {
        match part {
            // Those that the web protocol does not know go by name.
            Part::Face(_) if self.unit == Unit::Bytes => {
                let name = plain_text(std::slice::from_ref(part), Language::Zh);
                self.face.max(self.of_text(&name))
            }
            Part::Face(_) => self.face,
            Part::Reply(_) => 0,
            Part::Mention(Mention { name, .. }) if self.unit == Unit::Chars => name.chars().count() + 2,
            other => self.of_text(&plain_text(std::slice::from_ref(other), Language::Zh)),
        }
    }

    /// What a piece takes of [`Limits::max`].
    pub fn of(self, parts: &[Part]) -> usize {
        parts.iter().map(|part| self.of_part(part)).sum()
    }
}

/// Cuts a message into pieces within `limits`: at a line's end, else between words, else between graphemes; never inside a face
/// or a mention. `prefix` (`Ann: `) begins the first piece, a sign of continuation the others. A message of white space alone
/// is no piece.
pub fn split(parts: Vec<Part>, prefix: &str, limits: Limits) -> Vec<Vec<Part>> {
    let (replies, parts): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| matches!(part, Part::Reply(_)));
    let prefix = cut_prefix(prefix, limits);
    let smallest_room = limits.max - limits.of_text(prefix).max(limits.of_text(GOES_ON));
    let mut atoms = atoms(parts, limits, smallest_room);
    trim_end(&mut atoms);

    let mut pieces = Vec::new();
    while !atoms.is_empty() {
        let begin = if pieces.is_empty() { prefix } else { GOES_ON };
        let fitting = fitting(&atoms, limits.max - limits.of_text(begin));
        let cut = if fitting == atoms.len() {
            fitting
        } else {
            best_cut(&atoms[..fitting], &atoms[fitting])
        };
        let rest = atoms.split_off(cut);
        trim_end(&mut atoms);
        pieces.push(assemble(begin, atoms));
        atoms = rest;
        trim_start(&mut atoms);
    }
    if let Some(first) = pieces.first_mut() {
        first.splice(0..0, replies);
    }
    pieces
}

/// What is never cut.
#[derive(Debug)]
struct Atom {
    part: Part,
    cost: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Space,
    Text,
    Whole,
}

/// A prefix takes at most half of a piece.
fn cut_prefix(prefix: &str, limits: Limits) -> &str {
    let mut end = 0;
    for (at, grapheme) in prefix.grapheme_indices(true) {
        let next = at + grapheme.len();
        if limits.of_text(&prefix[..next]) > limits.max / 2 {
            break;
        }
        end = next;
    }
    &prefix[..end]
}

fn atoms(parts: Vec<Part>, limits: Limits, room: usize) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for part in parts {
        let text = match part {
            Part::Text(text) => text,
            Part::Marker(_) => plain_text(&[part], Language::Zh),
            whole => {
                let cost = limits.of_part(&whole);
                if cost <= room {
                    atoms.push(Atom {
                        part: whole,
                        cost,
                        kind: Kind::Whole,
                    });
                    continue;
                }
                plain_text(&[whole], Language::Zh)
            }
        };
        for grapheme in text.graphemes(true) {
            if limits.of_text(grapheme) <= room {
                atoms.push(text_atom(grapheme, limits));
                continue;
            }
            // A heap of combining marks longer than a message: no reader, no loss.
            let mut buffer = [0; 4];
            atoms.extend(grapheme.chars().map(|c| text_atom(c.encode_utf8(&mut buffer), limits)));
        }
    }
    atoms
}

fn text_atom(text: &str, limits: Limits) -> Atom {
    let kind = if text.contains('\n') {
        Kind::Line
    } else if text.chars().all(char::is_whitespace) {
        Kind::Space
    } else {
        Kind::Text
    };
    Atom {
        part: Part::Text(text.to_owned()),
        cost: limits.of_text(text),
        kind,
    }
}

/// How many atoms fit; at least one.
fn fitting(atoms: &[Atom], room: usize) -> usize {
    let mut taken = 0;
    let fitting = atoms.iter().take_while(|atom| {
        taken += atom.cost;
        taken <= room
    });
    fitting.count().max(1)
}

/// Where to cut what fits, given what follows. A line's end or a gap in the first half would waste too much of the piece.
fn best_cut(fits: &[Atom], next: &Atom) -> usize {
    if matches!(next.kind, Kind::Line) {
        return fits.len();
    }
    let late = |at: &usize| *at > fits.len() / 2;
    let line = fits.iter().rposition(|atom| atom.kind == Kind::Line).filter(late);
    let word = || {
        if matches!(next.kind, Kind::Space | Kind::Whole) {
            return Some(fits.len());
        }
        let gap = fits
            .iter()
            .rposition(|atom| matches!(atom.kind, Kind::Space | Kind::Whole | Kind::Line));
        // Behind the gap: the white space itself is trimmed, a face stays with what it belongs to.
        gap.map(|at| at + 1).filter(late)
    };
    line.or_else(word).unwrap_or(fits.len()).max(1)
}

fn blank(atom: &Atom) -> bool {
    matches!(atom.kind, Kind::Line | Kind::Space)
}

fn trim_start(atoms: &mut Vec<Atom>) {
    let blanks = atoms.iter().take_while(|atom| blank(atom)).count();
    atoms.drain(..blanks);
}

fn trim_end(atoms: &mut Vec<Atom>) {
    let blanks = atoms.iter().rev().take_while(|atom| blank(atom)).count();
    atoms.truncate(atoms.len() - blanks);
}

fn assemble(begin: &str, atoms: Vec<Atom>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = begin.to_owned();
    for atom in atoms {
        match atom.part {
            Part::Text(t) => text.push_str(&t),
            whole => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(whole);
            }
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

#[cfg(test)]
mod tests;
