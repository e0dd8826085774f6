//! Our own words when they come back: what was said in a group lately, and what of it was heard again. Pure.
//!
//! The rest of the gateway knows an echo by its normal form. What it cannot know is settled here, where it is known what went
//! out a moment ago: that an echo was cut in two, that words in it were blotted out, that it came twice.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::Part;
use crate::qq::faces;
use crate::qq::normal::normal_form;

/// What is remembered of one group.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    said: VecDeque<Words>,
}

#[derive(Debug)]
struct Words {
    parts: Vec<Part>,
    /// The normal form without any white space: a cut takes some away.
    form: String,
    at: Instant,
    /// So many bytes of `form` came back.
    heard: usize,
    /// A jump of the group's counter was put down to this one.
    counted: bool,
    /// What came back may be the second copy of an echo of equal words.
    doubtful: bool,
}

/// What something is that the account itself is told to have said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Echo {
    /// Our words as they are, or the owner's at another device.
    AsItIs,
    /// Our words, changed on the way: these were said.
    Changed(Vec<Part>),
    /// The rest of words, or words a second time: nobody needs to hear it.
    Again,
}

impl Echoes {
    const KEPT: usize = 50;
    const AGE: Duration = Duration::from_secs(600);
    /// Twice at once is the service; later it is the owner who agrees with us.
    const AGAIN: Duration = Duration::from_secs(60);
    /// A beginning of ours with so many signs is not the owner's own word. A shorter one is his, unless ours went out a moment
    /// ago, and it is a quarter of them and holds what the template sets behind a name: he would have to write just that.
    const CUT_MIN: usize = 16;
    const CUT_SHORT: usize = 4;
    const MOMENT: Duration = Duration::from_secs(20);

    /// These words are about to be sent: the echo may be quicker than the answer.
    pub(super) fn sending(&mut self, parts: &[Part], now: Instant) {
        while let Some(first) = self.said.front() {
            if self.said.len() < Self::KEPT && now - first.at < Self::AGE {
                break;
            }
            self.said.pop_front();
        }
        self.said.push_back(Words {
            parts: parts.to_vec(),
            form: form(parts),
            at: now,
            heard: 0,
            counted: false,
            doubtful: false,
        });
    }

    /// Whether the last words came back already: whatever the answer to the send says, they were delivered.
    pub(super) fn last_came_back(&self) -> bool {
        self.said.back().is_some_and(|words| words.heard > 0 && !words.doubtful)
    }

    /// The last words were certainly not taken.
    pub(super) fn refused(&mut self) {
        if !self.last_came_back() {
            self.said.pop_back();
        }
    }

    /// How many of our own messages were never heard again: the group's counter counts them all the same.
    pub(super) fn silent(&mut self, most: u64) -> u64 {
        let silent = self.said.iter_mut().filter(|words| words.heard == 0 && !words.counted);
        let mut count = 0;
        for words in silent.take(usize::try_from(most).unwrap_or(usize::MAX)) {
            words.counted = true;
            count += 1;
        }
        count
    }

    /// The account is told to have said this.
    pub(super) fn hear(&mut self, parts: &[Part], now: Instant) -> Echo {
        let heard = form(parts);
        if heard.is_empty() {
            return Echo::AsItIs;
        }
        let unheard = |words: &&mut Words| words.heard == 0;
        let twice = self
            .said
            .iter()
            .any(|words| words.form == heard && words.heard > 0 && now - words.at < Self::AGAIN);
        let mut said = self.said.iter_mut().filter(unheard);
        if let Some(words) = said.find(|words| words.form == heard) {
            words.heard = words.form.len();
            words.doubtful = twice;
            return Echo::AsItIs;
        }
        let mut begun = self
            .said
            .iter_mut()
            .filter(|words| words.heard > 0 && words.heard < words.form.len());
        if let Some(words) = begun.find(|words| words.form[words.heard..].starts_with(&heard)) {
            words.heard += heard.len();
            return Echo::Again;
        }
        let mut said = self.said.iter_mut().filter(unheard);
        if let Some(words) = said.find(|words| words.is_begun_by(&heard, now)) {
            words.heard = heard.len();
            return Echo::Changed(words.parts.clone());
        }
        let mut said = self.said.iter_mut().filter(unheard);
        if let Some(words) = said.find(|words| is_blotted(&words.form, &heard)) {
            words.heard = words.form.len();
            return Echo::Changed(words.parts.clone());
        }
        if twice { Echo::Again } else { Echo::AsItIs }
    }
}

impl Words {
    /// Whether `heard` is these words' beginning, of which the service makes a message of its own.
    fn is_begun_by(&self, heard: &str, now: Instant) -> bool {
        let signs = heard.chars().count();
        let named = heard.contains(|c: char| !c.is_alphanumeric());
        let short = named && signs >= Echoes::CUT_SHORT && signs * 4 >= self.form.chars().count();
        self.form.starts_with(heard) && (signs >= Echoes::CUT_MIN || short && now - self.at < Echoes::MOMENT)
    }
}

fn form(parts: &[Part]) -> String {
    let mut form = normal_form(parts, faces::Known::WebQq);
    form.retain(|c| !c.is_whitespace());
    form
}

/// Whether `heard` is `said` with single signs replaced by stars, or with signs gone that are neither letter nor digit.
fn is_blotted(said: &str, heard: &str) -> bool {
    let (a, b) = (said.chars(), heard.chars());
    let stars = heard.chars().filter(|c| *c == '*').count();
    let starred = a.clone().count() == b.clone().count() && a.zip(b).all(|(a, b)| a == b || b == '*');
    if starred && stars * 2 <= heard.chars().count() {
        return true;
    }
    let bare = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let bare_said = bare(said);
    !bare_said.is_empty() && bare_said == bare(heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<Part> {
        vec![Part::Text(text.into())]
    }

    fn echoes(said: &[&str]) -> (Echoes, Instant) {
        let now = Instant::now();
        let mut echoes = Echoes::default();
        for words in said {
            echoes.sending(&text(words), now);
        }
        (echoes, now)
    }

    #[test]
    fn an_echo_is_passed_on_and_its_double_is_not() {
        let (mut echoes, now) = echoes(&["Ann: a < b"]);
        assert_eq!(echoes.hear(&text("Ann: a ＜ b "), now), Echo::AsItIs);
        assert_eq!(echoes.hear(&text("Ann: a &lt; b"), now), Echo::Again);
        // The owner says it a minute later.
        let later = now + Duration::from_secs(90);
        assert_eq!(echoes.hear(&text("Ann: a < b"), later), Echo::AsItIs);
        assert_eq!(echoes.hear(&text("something else"), now), Echo::AsItIs);
    }

    #[test]
    fn a_second_copy_does_not_prove_equal_words() {
        let now = Instant::now();
        let mut echoes = Echoes::default();
        echoes.sending(&text("hi"), now);
        assert_eq!(echoes.hear(&text("hi"), now), Echo::AsItIs);
        assert!(echoes.last_came_back());
        echoes.sending(&text("hi"), now);
        assert_eq!(echoes.hear(&text("hi"), now), Echo::AsItIs);
        assert!(!echoes.last_came_back());
    }

    #[test]
    fn said_twice_is_heard_twice() {
        let (mut echoes, now) = echoes(&["Ann: hi", "Ann: hi"]);
        let heard: Vec<Echo> = (0..3).map(|_| echoes.hear(&text("Ann: hi"), now)).collect();
        assert_eq!(heard, [Echo::AsItIs, Echo::AsItIs, Echo::Again]);
    }

    #[test]
    fn cut_in_pieces() {
        let whole = "Ann: this is a rather long line, and it goes on and on";
        let (mut echoes, now) = echoes(&[whole]);
        assert_eq!(
            echoes.hear(&text("Ann: this is a rather long line,"), now),
            Echo::Changed(text(whole))
        );
        assert_eq!(echoes.hear(&text("and it goes"), now), Echo::Again);
        assert_eq!(echoes.hear(&text("on and on"), now), Echo::Again);
        assert_eq!(echoes.hear(&text("on and on"), now), Echo::AsItIs);
    }

    #[test]
    fn a_short_beginning_is_ours_for_a_moment() {
        let whole = "Ann: x0-172 早";
        let (mut echoes, now) = echoes(&[whole]);
        assert_eq!(echoes.hear(&text("Ann:"), now), Echo::Changed(text(whole)));
        assert!(echoes.last_came_back());
        assert_eq!(echoes.hear(&text("x0-172 早"), now), Echo::Again);
        // The owner's own words are not the beginning of ours.
        for (said, heard, wait) in [
            (whole, "Ann", 0),
            (whole, "Ann:", 20),
            ("Anna: this is a line", "Anna", 0),
        ] {
            let (mut echoes, now) = self::echoes(&[said]);
            let now = now + Duration::from_secs(wait);
            assert_eq!(echoes.hear(&text(heard), now), Echo::AsItIs, "{heard} after {wait} s");
        }
    }

    #[test]
    fn blotted_out() {
        for heard in ["Ann: buy *** here", "Ann： buy now here！", "Ann buy now here"] {
            let (mut echoes, now) = echoes(&["Ann: buy now here"]);
            assert_eq!(
                echoes.hear(&text(heard), now),
                Echo::Changed(text("Ann: buy now here")),
                "{heard}"
            );
        }
        let (mut echoes, now) = echoes(&["Ann: hi"]);
        assert_eq!(echoes.hear(&text("*******"), now), Echo::AsItIs);
        let (mut echoes, now) = self::echoes(&["🙂🙂"]);
        assert_eq!(echoes.hear(&text("!"), now), Echo::AsItIs);
    }

    #[test]
    fn what_was_refused_has_no_echo_and_what_is_silent_counts_once() {
        let (mut echoes, now) = echoes(&["a", "b"]);
        echoes.refused();
        assert_eq!(echoes.silent(5), 1);
        assert_eq!(echoes.silent(5), 0);
        assert_eq!(echoes.hear(&text("a"), now), Echo::AsItIs);
        assert_eq!(echoes.hear(&text("a"), now), Echo::Again);
    }

    #[test]
    fn memory_is_bounded() {
        let (mut echoes, now) = echoes(&["x"; 200]);
        assert_eq!(echoes.said.len(), Echoes::KEPT);
        echoes.sending(&text("y"), now + Echoes::AGE);
        assert_eq!(echoes.said.len(), 1);
    }
}
