//! What happens in a soak, by simulated time.
//!
//! ```text
//!            half an hour ─► arm lost_link ─► wait: on line again ─┐
//!  talk ─────┤ once a day ─► arm zombie, say some ─► wait: heard  ─┤─► talk
//!            └ 47 h after a scan: silence ─► code ─► scan ─────────┘
//! ```

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use lab::Sandbox;
use qq_sandbox::{Options, parse_world};
use qqxmpp::model::{AccountName, GroupNumber, Part};
use qqxmpp::qq::webqq::{self, Login, Pace, Settings};
use qqxmpp::qq::{Command, Outcome, Outgoing, SessionState};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::clock::Clock;
use super::ears::{Ears, word};
use super::tally::{Measure, Tally, are_on_qq};
use super::{DAY, HOUR, LOST_LINK, NO_QUICK_LOGIN, ZOMBIE};

const WORLD: &str = include_str!("world.toml");
const ACCOUNT: u64 = 123_456_789;
const GROUPS: [u64; 3] = [346_000_003, 346_000_004, 346_000_005];
const PEOPLE: [u64; 3] = [222_333_444, 333_444_555, 444_555_666];

const LINK_EVERY: Duration = Duration::from_secs(1800);
const ZOMBIE_AT: Duration = Duration::from_secs(12 * 3600);
const SEND_EVERY: Duration = Duration::from_secs(900);
const MEASURE_EVERY: Duration = Duration::from_secs(6 * 3600);
/// How long a login lasts, and when everybody falls silent before it ends: what is said while nobody polls is lost.
const LOGIN_LIFE: Duration = Duration::from_secs(47 * 3600);
const SILENT_AT: Duration = Duration::from_secs(47 * 3600 - 120);
/// Said while the service has lost sight of the session.
const UNSEEN: u64 = 5;
/// At most said in one step, when there is much to catch up with.
const AT_ONCE: u64 = 10;
/// In simulated time: a link is opened again, or a code scanned, and everything said was heard.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    None,
    /// The link was lost; how often the session had been on line.
    Link(u64),
    /// The service has lost sight of the session.
    Zombie,
}

struct Soak {
    sandbox: Sandbox,
    clock: Clock,
    ears: Arc<Ears>,
    commands: mpsc::Sender<Command>,
    /// Words per group.
    said: [u64; GROUPS.len()],
    sent: u64,
    outcome: Option<oneshot::Receiver<Outcome>>,
    trouble: Trouble,
    links: u64,
    zombies: u64,
    scans: u64,
    scanned_at: Instant,
    /// When everything said had been heard, last.
    fine_at: Instant,
    tally: Tally,
}

/// Lets a session live so long, with so many messages.
pub(super) async fn soak(whole: Duration, messages: u64) -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let begun = std::time::Instant::now();
    // In memory that is nobody's resident memory, where there is such: a commit waits for no disk then.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let service = qq_sandbox::Sandbox::start(Options {
        world: Some(parse_world(WORLD)?),
        state: Some(folder.path().to_owned()),
        ..Options::default()
    })
    .await?;
    let ears = Ears::open(&GROUPS);
    let (commands, wishes) = mpsc::channel(8);
    let shutdown = CancellationToken::new();
    let settings = Settings {
        name: AccountName("main".into()),
        server: Url::parse(&service.url())?,
        send_every: Settings::send_every(&Login::Qr),
        login: Login::Qr,
        pace: Pace::default(),
    };
    let (clock, stuck) = Clock::hold(Sandbox::at(service.address)?);
    let mut session = tokio::spawn(webqq::run(settings, None, wishes, ears.clone(), shutdown.clone()));
    let mut soak = Soak {
        sandbox: Sandbox::at(service.address)?,
        clock,
        ears,
        commands,
        said: [0; GROUPS.len()],
        sent: 0,
        outcome: None,
        trouble: Trouble::None,
        links: 0,
        zombies: 0,
        scans: 0,
        scanned_at: Instant::now(),
        fine_at: Instant::now(),
        tally: Tally::default(),
    };
    let lived = tokio::select! {
        lived = soak.live(whole, messages) => lived,
        _ = stuck => Err(anyhow::anyhow!("not one step for minutes of real time")),
        ended = &mut session => Err(anyhow::anyhow!("the session ended: {ended:?}")),
    };
    let at = format!("{} after {:?}: {:?}", soak.shown(), soak.clock.passed(), soak.trouble);
    println!("{at}; {:.1} s", begun.elapsed().as_secs_f32());
    soak.tally.print();
    lived.context(at)?;
    shutdown.cancel();
    session.await??;
    service.stop().await;
    Ok(())
}

impl Soak {
    async fn live(&mut self, whole: Duration, messages: u64) -> anyhow::Result<()> {
        self.arm(NO_QUICK_LOGIN).await?;
        let [mut link_at, mut zombie_at, mut send_at, mut measure_at] =
            [LINK_EVERY, ZOMBIE_AT, SEND_EVERY, MEASURE_EVERY];
        let mut warm = None;
        let mut last = Measure::now()?;
        while self.clock.passed() < whole || self.words_said() < messages || !self.is_fine().await? {
            self.clock.step().await?;
            if !self.is_fine().await? {
                continue;
            }
            let now = self.clock.passed();
            if now >= measure_at {
                measure_at = now + MEASURE_EVERY;
                last = Measure::now()?;
                println!("{:4} h, {}: {last:?}", now.as_secs() / HOUR.as_secs(), self.shown());
                warm = warm.or_else(|| (now >= DAY).then_some(last));
                self.tally.read(&self.sandbox).await?;
            }
            if now >= send_at {
                send_at = now + SEND_EVERY;
                self.send()?;
            } else if now >= zombie_at {
                zombie_at += DAY;
                self.arm(ZOMBIE).await?;
                self.say(UNSEEN).await?;
                (self.trouble, self.zombies) = (Trouble::Zombie, self.zombies + 1);
            } else if now >= link_at {
                link_at = now + LINK_EVERY;
                (self.trouble, self.links) = (Trouble::Link(self.ears.heard().onlines), self.links + 1);
                self.arm(LOST_LINK).await?;
            } else {
                let part = now.as_secs_f64() / whole.as_secs_f64();
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss
                )]
                let due = (messages as f64 * part.min(1.0)) as u64;
                self.say(due.saturating_sub(self.words_said()).min(AT_ONCE)).await?;
            }
        }
        self.tally.read(&self.sandbox).await?;
        self.judge(whole, warm.context("a soak takes longer than a day")?, last)
            .await
    }

    async fn arm(&self, fault: &str) -> anyhow::Result<()> {
        self.sandbox.arm(&serde_json::from_str(fault)?).await?;
        Ok(())
    }

    fn words_said(&self) -> u64 {
        self.said.iter().sum()
    }

    /// Whether the session is well: nothing is open, and its login is not about to expire. Scans a code that is shown.
    async fn is_fine(&mut self) -> anyhow::Result<bool> {
        let (all_heard, state, onlines, codes) = {
            let heard = self.ears.heard();
            if let Some(wrong) = &heard.wrong {
                bail!("{wrong}");
            }
            let all_heard = heard.words == self.words_said();
            (all_heard, heard.state.clone(), heard.onlines, heard.codes)
        };
        if codes > self.scans {
            self.sandbox.scan_qr().await?;
            (self.scans, self.scanned_at) = (codes, Instant::now());
        }
        match self.trouble {
            Trouble::Link(before) if onlines > before => self.trouble = Trouble::None,
            Trouble::Zombie if all_heard => self.trouble = Trouble::None,
            _ => {}
        }
        if let Some(outcome) = &mut self.outcome
            && let Ok(outcome) = outcome.try_recv()
        {
            ensure!(matches!(outcome, Outcome::Sent(_)), "a send ended so: {outcome:?}");
            self.outcome = None;
        }
        let open = self.trouble != Trouble::None || self.outcome.is_some();
        let expires = self.scanned_at.elapsed() > SILENT_AT;
        if matches!(state, SessionState::Online(_)) && all_heard && !open && !expires {
            self.fine_at = Instant::now();
            return Ok(true);
        }
        let patience = match self.trouble {
            // The watchdog's own time, and that of the poll behind which it looks.
            Trouble::Zombie => Pace::default().silence + PATIENCE,
            _ => PATIENCE,
        };
        let waited = self.fine_at.elapsed();
        let sending = self.outcome.is_some();
        ensure!(
            waited <= patience,
            "not well for {waited:?}: the session is {state:?}; all heard: {all_heard}; a send has no outcome: {sending}"
        );
        Ok(false)
    }

    /// People say so many words.
    async fn say(&mut self, words: u64) -> anyhow::Result<()> {
        for _ in 0..words {
            let all = usize::try_from(self.words_said())?;
            let (group, person) = (all * 7 / 3 % GROUPS.len(), PEOPLE[all / 5 % PEOPLE.len()]);
            self.sandbox.say(GROUPS[group], person, word(self.said[group])).await?;
            self.said[group] += 1;
        }
        Ok(())
    }

    /// The account says something.
    fn send(&mut self) -> anyhow::Result<()> {
        let (reply, outcome) = oneshot::channel();
        let group = usize::try_from(self.sent)? % GROUPS.len();
        let send = Command::Send {
            group: GroupNumber(GROUPS[group]),
            piece: Outgoing {
                parts: vec![Part::Text(answer(self.sent))],
            },
            reply,
        };
        self.commands.try_send(send).context("the session takes wishes")?;
        self.sent += 1;
        self.outcome = Some(outcome);
        Ok(())
    }

    fn shown(&self) -> String {
        let heard = self.ears.heard();
        format!(
            "{} of {} words heard, {} sent, {} links lost, {} times out of sight, {} codes scanned",
            heard.words,
            self.words_said(),
            self.sent,
            self.links,
            self.zombies,
            self.scans
        )
    }

    /// What must be true at the end.
    async fn judge(&self, whole: Duration, warm: Measure, last: Measure) -> anyhow::Result<()> {
        let own = self.ears.heard().own;
        ensure!(own == self.sent, "{own} own words came back of {}", self.sent);
        let logins = 1 + whole.as_secs() / LOGIN_LIFE.as_secs();
        ensure!(self.scans == logins, "{} codes for {logins} logins", self.scans);
        ensure!(self.tally.logins == logins, "login2 without a scan: {:?}", self.tally);
        let relinks = self.links + self.zombies;
        ensure!(
            self.tally.relinks == relinks,
            "other links than {relinks}: {:?}",
            self.tally
        );
        for (place, group) in GROUPS.into_iter().enumerate() {
            let sent = (0..self.sent).skip(place).step_by(GROUPS.len()).map(answer);
            are_on_qq(&self.sandbox, group, ACCOUNT, sent).await?;
        }
        last.is_flat_since(warm)
    }
}

fn answer(n: u64) -> String {
    format!("answer {n}")
}
