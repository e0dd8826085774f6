//! Whatever breaks in whichever order: when all is well again, everything was said once and in order, both ways.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const REFUSED_JOINS: [(&str, &str); 7] = [
    ("cancel", "conflict"),
    ("modify", "not-acceptable"),
    ("wait", "service-unavailable"),
    ("wait", "resource-constraint"),
    ("wait", "policy-violation"),
    ("auth", "registration-required"),
    ("cancel", "item-not-found"),
];
const REFUSED_WORDS: [(&str, &str); 6] = [
    ("wait", "resource-constraint"),
    ("wait", "policy-violation"),
    ("cancel", "not-acceptable"),
    ("auth", "forbidden"),
    ("cancel", "service-unavailable"),
    ("modify", "bad-request"),
];
const NICKS: [&str; 5] = ["小明", "小明 (QQ)", "Tom", "QQ", "qq (QQ)"];

#[derive(Debug, Clone)]
enum Happening {
    /// A member says something.
    Qq(u64),
    /// They take back what they said last.
    TakesBack(u64),
    /// A person does.
    Says(&'static str),
    /// Somebody takes a nick that one of ours would like, or gives it back.
    Comes(usize),
    Goes(usize),
    /// So many stanzas or due things, and no more.
    Steps(usize),
    /// Everything that follows.
    Rest,
    Later(u64),
    Lose,
    Hide,
    MuteJoin,
    RefuseJoin(usize),
    RefuseWord(usize),
    Down(bool),
    Silent(bool),
    /// The room forgets everybody of ours, or one of them, without a word.
    Forget,
    ForgetOne(usize),
    /// Everybody of ours is put out, for a reason that is nobody's fault.
    Out(u16),
    /// A moderator puts somebody of ours out.
    Kick(usize),
    /// The gateway starts anew; perhaps before it sent what it committed.
    Restart(bool),
    /// Stanzas were dropped.
    Overrun,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        10 => (1001_u64..1005).prop_map(Qq),
        2 => (1001_u64..1005).prop_map(TakesBack),
        8 => proptest::sample::select(vec!["Ann", "Bob"]).prop_map(Says),
        1 => (0..NICKS.len()).prop_map(Comes),
        1 => (0..NICKS.len()).prop_map(Goes),
        8 => (1_usize..12).prop_map(Steps),
        4 => Just(Rest),
        4 => (1_u64..30).prop_map(Later),
        1 => (60_u64..2000).prop_map(Later),
        2 => Just(Lose),
        2 => Just(Hide),
        1 => Just(MuteJoin),
        2 => (0..REFUSED_JOINS.len()).prop_map(RefuseJoin),
        2 => (0..REFUSED_WORDS.len()).prop_map(RefuseWord),
        2 => any::<bool>().prop_map(Down),
        2 => any::<bool>().prop_map(Silent),
        1 => Just(Forget),
        1 => (0_usize..4).prop_map(ForgetOne),
        1 => proptest::sample::select(vec![332_u16, 333]).prop_map(Out),
        1 => (0_usize..4).prop_map(Kick),
        2 => any::<bool>().prop_map(Restart),
        1 => Just(Overrun),
    ]
}

fn conduct() -> impl Strategy<Value = Conduct> {
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (flags, 2_usize..9, 0_u64..10).prop_map(|(flags, page, behind)| {
        let (archive, occupant_ids, stanza_ids, shows_jids, limit) = flags;
        Conduct {
            archive,
            occupant_ids,
            // Every archive that can be asked gives its ids (XEP-0313 §5.1.3).
            stanza_ids: stanza_ids || archive,
            shows_jids,
            limit: limit.then_some((0.5, 3.0)),
            history: 500,
            page,
            behind: seconds(behind),
            ..Conduct::default()
        }
    })
}

/// A run, and what was done to it.
struct Run {
    lab: Lab,
    /// Members whom a moderator put out.
    kicked: BTreeSet<MemberId>,
    /// The room refused something, or somebody was put out: the admins may hear of it.
    refused: bool,
    texts: usize,
}

impl Run {
    fn new(conduct: Conduct) -> Self {
        let settings = Settings {
            to_qq_within: hours(1000),
            to_room_within: hours(1000),
            ..settings()
        };
        let mut lab = Lab::with(settings, conduct);
        lab.most_after_absence = 10_000;
        Self {
            lab,
            kicked: BTreeSet::new(),
            refused: false,
            texts: 0,
        }
    }

    fn text(&mut self, kind: &str) -> String {
        self.texts += 1;
        format!("{kind}{}.", self.texts)
    }

    fn happen(&mut self, happening: &Happening) {
        self.lab.muc.now = self.lab.now;
        match happening {
            Happening::Qq(number) => {
                let text = self.text("q");
                self.lab.hears(*number, &text);
            }
            Happening::TakesBack(number) => self.takes_back(*number),
            Happening::Says(nick) => {
                let text = self.text("p");
                self.lab.muc.says(nick, &text);
            }
            // Where the room tells nobody by ids, who has the nick of one of ours cannot be told from them.
            Happening::Comes(at) if self.lab.muc.conduct.occupant_ids => {
                if self.lab.muc.by_nick(NICKS[*at]).is_none() {
                    self.lab.muc.person(NICKS[*at]);
                    let text = self.text("p");
                    self.lab.muc.says(NICKS[*at], &text);
                }
            }
            Happening::Comes(_) => {}
            Happening::Goes(at) => {
                let person = self.lab.muc.by_nick(NICKS[*at]).filter(|o| !o.is_ours());
                if let Some(jid) = person.map(|o| o.jid.clone()) {
                    self.lab.muc.remove(&jid, &[], "", "");
                }
            }
            Happening::Steps(n) => {
                for _ in 0..*n {
                    if !self.lab.give() {
                        self.lab.step_now();
                    }
                }
            }
            Happening::Rest => self.lab.run(),
            Happening::Later(n) => self.lab.later(seconds(*n)),
            Happening::Restart(unsent) => {
                if *unsent {
                    self.lab.unsent = true;
                    self.lab.run();
                }
                self.lab.restart();
            }
            Happening::Overrun => {
                self.lab.muc.out.clear();
                self.lab.room.doubt(self.lab.now);
            }
            fault => self.goes_wrong(fault),
        }
    }

    /// As the store does it: the words are gone, and a row says so.
    fn takes_back(&mut self, number: u64) {
        let theirs = |row: &&mut Row| {
            let by_them = matches!(&row.author, Author::Member { id: author, .. } if *author == id(number));
            by_them && matches!(row.content, Content::Parts(_))
        };
        let retraction = Seq(i64::try_from(self.lab.rows.len()).expect("few rows") + 1);
        let Some(row) = self.lab.rows.iter_mut().rev().find(theirs) else {
            return;
        };
        row.content = Content::Tombstone {
            id: None,
            retraction,
            time: self.lab.now,
            moderator: None,
        };
        let content = Content::Retraction {
            row: row.seq,
            moderated: false,
            reason: None,
        };
        self.lab.hears_content(number, content);
    }

    fn goes_wrong(&mut self, fault: &Happening) {
        let muc = &mut self.lab.muc;
        let ours = |muc: &Service, n: usize| {
            let nicks = muc.ours();
            nicks.get(n % nicks.len().max(1)).cloned()
        };
        match fault {
            Happening::Lose => muc.conduct.lose += 1,
            Happening::Hide => muc.conduct.hide += 1,
            Happening::MuteJoin => muc.conduct.mute_joins += 1,
            Happening::RefuseJoin(at) => {
                muc.conduct.refuse_joins.push_back(REFUSED_JOINS[*at]);
                self.refused = true;
            }
            Happening::RefuseWord(at) => {
                muc.conduct.refuse_words.push_back(REFUSED_WORDS[*at]);
                self.refused = true;
            }
            Happening::Down(down) => muc.conduct.down = *down,
            Happening::Silent(silent) => muc.conduct.silent = *silent,
            Happening::Forget => muc.forget(),
            Happening::ForgetOne(n) => {
                let nick = ours(muc, *n);
                muc.occupants.retain(|o| Some(&o.nick) != nick.as_ref());
            }
            Happening::Out(code) => muc.shut_down(*code),
            Happening::Kick(n) => {
                let Some(nick) = ours(muc, *n) else { return };
                let jid = muc.by_nick(&nick).expect("inside").jid.clone();
                muc.expel(&nick, 307);
                self.refused = true;
                let is = |member: &&RoomMember| {
                    let puppet = self.lab.settings.puppet(GroupNumber(1), &member.member.id);
                    puppet.to_string() == jid
                };
                self.kicked
                    .extend(self.lab.members.iter().find(is).map(|m| m.member.id.clone()));
            }
            _ => {}
        }
    }

    fn heal(&mut self) {
        let conduct = &mut self.lab.muc.conduct;
        (conduct.silent, conduct.down) = (false, false);
        (conduct.lose, conduct.hide, conduct.mute_joins) = (0, 0, 0);
        conduct.refuse_joins.clear();
        conduct.refuse_words.clear();
        self.lab.later(hours(4));
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let lab = &self.lab;
        prop_assert!(lab.inside(), "{:?}", lab.room.listener.place);
        prop_assert_eq!(lab.room.trouble(), None);
        prop_assert_eq!(
            usize::try_from(lab.said.0).expect("rows"),
            lab.rows.len(),
            "all rows are through"
        );
        // From QQ to the room.
        let said: Vec<usize> = ours(lab).map(|body| number(&body, 'q')).collect();
        let once: BTreeSet<usize> = said.iter().copied().collect();
        prop_assert_eq!(said.len(), once.len(), "twice: {:?}", lab.muc.shown());
        prop_assert!(said.is_sorted(), "out of order: {:?}", lab.muc.shown());
        let retracted: Vec<String> = lab.muc.lines.iter().filter_map(retracts).collect();
        let each: BTreeSet<&String> = retracted.iter().collect();
        prop_assert_eq!(retracted.len(), each.len(), "taken back twice");
        for id in &retracted {
            let line = lab.muc.lines.iter().find(|line| line.stanza_id == *id);
            prop_assert!(
                line.is_some_and(service::Line::is_ours),
                "not ours to take back: {}",
                id
            );
        }
        let missing = lab.rows.iter().filter(|row| match (&row.author, &row.content) {
            (Author::Member { id, .. }, Content::Parts(parts)) if !self.kicked.contains(id) => {
                let Part::Text(text) = &parts[0] else { return false };
                !once.contains(&number(text, 'q'))
            }
            _ => false,
        });
        let told: usize = lab
            .asides
            .iter()
            .map(|aside| match aside {
                Aside::NotSaid(n) => *n,
                _ => 0,
            })
            .sum();
        let missing = missing.count();
        prop_assert!(
            missing <= told,
            "{} are missing, and {} were told: {:?}",
            missing,
            told,
            lab.muc.shown()
        );
        // From the room to QQ.
        let people = lab.muc.lines.iter().filter(|line| !line.is_ours());
        let people: Vec<String> = people.map(|line| format!("{}| {}", line.nick, line.body())).collect();
        prop_assert_eq!(lab.on_qq(), people);
        prop_assert!(!lab.asides.iter().any(|aside| matches!(aside, Aside::TooLateForQq(_))));
        prop_assert!(self.refused || lab.alerts().is_empty(), "{:?}", lab.alerts());
        // And then it is quiet.
        let sent = lab.muc.got.len();
        self.lab.later(hours(2));
        let more = self.lab.muc.got.len() - sent;
        prop_assert!(
            more <= 25,
            "{} stanzas in two hours: {:?}",
            more,
            self.lab.muc.got.last()
        );
        Ok(())
    }
}

fn ours(lab: &Lab) -> impl Iterator<Item = String> {
    let words = lab
        .muc
        .lines
        .iter()
        .filter(|line| line.is_ours())
        .map(service::Line::body);
    words.filter(|body| body.ends_with('.') && !body.contains("retracted"))
}

/// What a line takes back.
fn retracts(line: &service::Line) -> Option<String> {
    let retract = line.message.get_child("retract", "urn:xmpp:message-retract:1")?;
    Some(retract.attr("id").unwrap_or_default().to_owned())
}

/// The number of a text, whoever says it for whom.
fn number(body: &str, kind: char) -> usize {
    let digits = body.rsplit_once(kind).map(|(_, rest)| rest.trim_end_matches('.'));
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_else(|| panic!("not of ours: {body}"))
}

proptest! {
    // Sixty-four runs; `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]
    #[test]
    fn whatever_breaks(conduct in conduct(), happenings in proptest::collection::vec(happening(), 1..60)) {
        let mut run = Run::new(conduct);
        for happening in &happenings {
            run.happen(happening);
        }
        run.heal();
        run.check()?;
    }
}
