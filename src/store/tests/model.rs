//! Any course of the outbox against a naive model of it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

use super::*;
use crate::store::Settled;

#[derive(Debug, Clone)]
enum Step {
    /// A message of so many pieces for the first group, or for both.
    Say { pieces: usize, both: bool },
    /// Hand over what is due.
    Send,
    /// An answer for some piece, whether or not it is waited for.
    Settle(usize, Answer),
    /// QQ shows what a piece said.
    Echo(usize),
    /// A message is taken back by its author.
    TakeBack(usize),
    /// Tell all authors.
    Tell,
    /// Seconds pass.
    Wait(i64),
    /// The gateway is killed.
    Kill,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Sent,
    Retry,
    Unknown,
    Failed,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answer = prop_oneof![
        Just(Answer::Sent),
        Just(Answer::Retry),
        Just(Answer::Unknown),
        Just(Answer::Failed)
    ];
    let step = prop_oneof![
        4 => (1..4usize, any::<bool>()).prop_map(|(pieces, both)| Step::Say { pieces, both }),
        8 => Just(Step::Send),
        8 => (0..30usize, answer).prop_map(|(n, answer)| Step::Settle(n, answer)),
        3 => (0..30usize).prop_map(Step::Echo),
        2 => (0..30usize).prop_map(Step::TakeBack),
        1 => Just(Step::Tell),
        3 => (1..8i64).prop_map(Step::Wait),
        1 => Just(Step::Kill),
    ];
    prop::collection::vec(step, 1..40)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Due,
    Sending,
    Unknown,
    Sent,
    Failed {
        doubt: bool,
        told: bool,
    },
    /// Cancelled before it was tried.
    Gone,
}

#[derive(Debug, Clone)]
struct Line {
    id: i64,
    message: Seq,
    group: GroupNumber,
    text: String,
    state: State,
    not_before: Timestamp,
    echoed: bool,
    /// Taken back; a recall itself never is.
    cancelled: bool,
    recall: bool,
}

impl Line {
    fn open(&self) -> bool {
        matches!(self.state, State::Due | State::Sending | State::Unknown)
    }
}

struct Model {
    lines: Vec<Line>,
    now: Timestamp,
    said: usize,
    events: usize,
}

impl Model {
    fn due(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = [GROUP, OTHER]
            .into_iter()
            .filter_map(|group| self.lines.iter().find(|line| line.group == group && line.open()))
            .filter(|head| head.state == State::Due && head.not_before <= self.now)
            .map(|head| head.id)
            .collect();
        ids.sort_unstable();
        ids
    }

    fn settle(&mut self, n: usize, answer: Answer) {
        let now = self.now;
        let line = &mut self.lines[n];
        match answer {
            Answer::Sent => line.state = State::Sent,
            Answer::Retry if line.open() && line.cancelled => {
                let doubt = line.state == State::Unknown;
                line.state = State::Failed { doubt, told: true };
            }
            Answer::Retry if line.open() => {
                line.state = State::Due;
                line.not_before = Timestamp(now.0 + 5000);
            }
            Answer::Unknown if line.open() => line.state = State::Unknown,
            Answer::Failed if line.open() => {
                let doubt = line.state == State::Unknown;
                line.state = State::Failed {
                    doubt,
                    told: line.cancelled,
                };
                let failed = line.clone();
                for later in &mut self.lines[n + 1..] {
                    if (later.message, later.group, later.state) == (failed.message, failed.group, State::Due) {
                        later.state = State::Failed {
                            doubt: false,
                            told: false,
                        };
                    }
                }
            }
            Answer::Retry | Answer::Unknown | Answer::Failed => {}
        }
    }

    /// Gives the groups that are to recall something.
    fn take_back(&mut self, message: Seq) -> Vec<GroupNumber> {
        let mut groups = Vec::new();
        for line in self
            .lines
            .iter_mut()
            .filter(|line| line.message == message && !line.recall)
        {
            if line.state == State::Due {
                line.state = State::Gone;
                continue;
            }
            line.cancelled = true;
            match &mut line.state {
                State::Failed { doubt, told } => {
                    *told = true;
                    if *doubt {
                        groups.push(line.group);
                    }
                }
                State::Gone => {}
                _ => groups.push(line.group),
            }
        }
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    fn untold(&self) -> Vec<(Seq, GroupNumber, bool)> {
        let mut found: Vec<(Seq, GroupNumber, bool)> = Vec::new();
        for line in &self.lines {
            if let State::Failed { doubt, told: false } = line.state
                && !found.iter().any(|f| (f.0, f.1) == (line.message, line.group))
            {
                found.push((line.message, line.group, doubt));
            }
        }
        found.sort();
        found
    }
}

/// The author takes a message back; a second time it changes nothing.
async fn take_message_back(lab: &Lab, model: &mut Model, target: Seq) {
    let words = lab.store.row(lab.room, target).await.expect("read").expect("a row");
    let seq = lab.new_rows(take_back(target)).await[0].seq;
    if matches!(words.content, Content::Tombstone { .. }) {
        return;
    }
    for group in model.take_back(target) {
        model.lines.push(Line {
            id: i64::try_from(model.lines.len() + 1).expect("small"),
            message: seq,
            group,
            text: String::new(),
            state: State::Due,
            not_before: Timestamp(0),
            echoed: true,
            cancelled: false,
            recall: true,
        });
    }
}

/// QQ shows the words of a piece.
async fn echo(lab: &Lab, model: &mut Model, n: usize) -> TestCaseResult {
    let now = model.now;
    let line = &mut model.lines[n];
    let ours = !line.echoed
        && !matches!(
            line.state,
            State::Due | State::Gone | State::Failed { doubt: false, .. }
        );
    model.events += 1;
    let mut echo = own(&model.events.to_string(), &line.text, None, now);
    if let Write::Own { message, .. } = &mut echo
        && let Identity::Qq { group, .. } = &mut message.identity
    {
        *group = line.group;
    }
    let known = lab.one(echo).await == Written::Known;
    prop_assert_eq!(known, ours);
    if ours {
        line.echoed = true;
        line.state = State::Sent;
    }
    Ok(())
}

async fn step(lab: &mut Lab, model: &mut Model, step: &Step) -> TestCaseResult {
    match *step {
        Step::Say { pieces, both } => {
            let groups: &[GroupNumber] = if both { &[GROUP, OTHER] } else { &[GROUP] };
            let mut message = from_xmpp(None, model.now, &[]);
            for &group in groups {
                for n in 0..pieces {
                    message
                        .pieces
                        .push(piece(group, &format!("{} {group} {n}", model.said)));
                }
            }
            model.said += 1;
            let said: Vec<_> = message.pieces.iter().map(|p| (p.group, p.normal.clone())).collect();
            let seq = lab.new_rows(message).await[0].seq;
            for (group, text) in said {
                model.lines.push(Line {
                    id: i64::try_from(model.lines.len() + 1).expect("small"),
                    message: seq,
                    group,
                    text,
                    state: State::Due,
                    not_before: Timestamp(0),
                    echoed: false,
                    cancelled: false,
                    recall: false,
                });
            }
        }
        Step::TakeBack(n) if n < model.lines.len() && !model.lines[n].recall => {
            take_message_back(lab, model, model.lines[n].message).await;
        }
        Step::Send => {
            for id in model.due() {
                prop_assert!(lab.store.sending(id, model.now).await.expect("sending"));
                model.lines[usize::try_from(id - 1).expect("small")].state = State::Sending;
            }
        }
        Step::Settle(n, answer)
            if n < model.lines.len() && !matches!(model.lines[n].state, State::Due | State::Gone) =>
        {
            let settled = match answer {
                Answer::Sent => Settled::Sent(None),
                Answer::Retry => Settled::Retry {
                    at: Timestamp(model.now.0 + 5000),
                    why: String::new(),
                },
                Answer::Unknown => Settled::Unknown(String::new()),
                Answer::Failed => Settled::Failed(String::new()),
            };
            lab.store
                .settle(model.lines[n].id, settled, model.now)
                .await
                .expect("settled");
            model.settle(n, answer);
        }
        Step::Echo(n) if n < model.lines.len() && !model.lines[n].recall => echo(lab, model, n).await?,
        Step::Tell => {
            for (message, group, _) in model.untold() {
                lab.store.told(lab.room, message, group).await.expect("told");
            }
            for line in &mut model.lines {
                if let State::Failed { told, .. } = &mut line.state {
                    *told = true;
                }
            }
        }
        Step::Wait(seconds) => model.now = Timestamp(model.now.0 + seconds * 1000),
        Step::Kill => *lab = lab.killed().await,
        Step::Settle(..) | Step::Echo(_) | Step::TakeBack(_) => {}
    }
    Ok(())
}

async fn compare(lab: &Lab, model: &Model) -> TestCaseResult {
    let main = account("main");
    let due = lab.store.due(&main, model.now, 100).await.expect("due");
    prop_assert_eq!(due.iter().map(|p| p.id).collect::<Vec<_>>(), model.due());
    let held = |line: &&Line| matches!(line.state, State::Sending | State::Unknown);
    let unsettled = lab.store.unsettled(&main).await.expect("unsettled");
    prop_assert_eq!(
        unsettled.iter().map(|p| p.id).collect::<Vec<_>>(),
        model.lines.iter().filter(held).map(|line| line.id).collect::<Vec<_>>()
    );
    let open = lab.store.queued(&main).await.expect("queued");
    prop_assert_eq!(open, model.lines.iter().filter(|line| line.open()).count() as u64);
    let untold = lab.store.untold(lab.room, None).await.expect("untold");
    prop_assert_eq!(
        untold
            .iter()
            .map(|u| (u.message, u.group, u.unknown))
            .collect::<Vec<_>>(),
        model.untold()
    );
    Ok(())
}

#[test]
fn the_outbox_goes_as_its_model() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut runner = TestRunner::new(Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            let mut lab = Lab::new().await;
            let mut model = Model {
                lines: Vec::new(),
                now: Timestamp::now(),
                said: 0,
                events: 0,
            };
            for next in &steps {
                step(&mut lab, &mut model, next).await?;
                compare(&lab, &model).await?;
            }
            Ok(())
        })
    });
    outcome.expect("the same course");
}
