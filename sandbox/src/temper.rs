//! The moods of the service: where several behaviours were seen, or where nobody knows, the seed decides.
//!
//! Tokens and temporary numbers do not come from here but from the system: a restart must never repeat them.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What the seed decided. All but the last are fixed for a run, the rest is drawn answer by answer.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent decisions of the seed, not a state"
)]
pub(crate) struct Temper {
    /// For how many seconds a text equal to the one before is dropped; `None`: for ever.
    pub(crate) equal_for: Option<i64>,
    /// Whether what was answered with 1202 is lost; otherwise it is delivered all the same.
    pub(crate) hasty_dropped: bool,
    /// Whether a repeated `msg_id` of a session is dropped.
    pub(crate) msg_id_once: bool,
    /// Whether `ptwebqq` is set by ptqrlogin already, and not only by `check_sig`.
    pub(crate) ptwebqq_early: bool,
    /// Whether a relink gives new temporary numbers.
    pub(crate) relink_renews: bool,
    /// What a poll of an expired login gets.
    pub(crate) expired_code: i64,
    /// Whether friend category 0 is listed.
    pub(crate) category_zero: bool,
    /// Whether a `OneBot` program tells an own message before it answers the call that said it.
    pub(crate) echo_first: bool,
    /// Whether `NapCat` gives a history that was asked for backwards with the newest first.
    pub(crate) history_backwards: bool,
    /// `WebQQ` of 2013: the variant of the friend list's `hash` (`P`, `O`, `Q`, `N`), `-` when none is asked for, `*` when
    /// each of these is right, so that a client of any month of those years gets its lists.
    pub(crate) list_hash: char,
    /// 2013: whether the channel wants `get_online_buddies2` before the first poll, as it did later.
    pub(crate) registers: bool,
    /// 2013: what the channel answers without the cookies of `check_sig`.
    pub(crate) unsigned_code: i64,
    /// 2013: for how many seconds lists are answered, until a relink; `None`: as long as the session lives.
    pub(crate) lists_for: Option<i64>,
    /// 2013: whether own messages to groups come back to the session that sent them.
    pub(crate) own_echo: bool,
    /// 2013: whether friends' pictures come as `cface` and not as `offpic`.
    pub(crate) friend_cface: bool,
    /// 2013: whether the login of the spring is answered without the nickname, with five arguments.
    pub(crate) five_arguments: bool,
    /// `SmartQQ` of 2018: whether `ptwebqq` is empty. Some logins of that year had one, others did not.
    pub(crate) ptwebqq_gone: bool,
    /// Whether a card may be cut inside a character.
    pub(crate) cards_cut_inside: bool,
    /// Where the message numbers of events begin.
    pub(crate) first_msg_id: i64,
    rng: StdRng,
}

impl Temper {
    /// The temper of a seed. Seed 0 is the service on a good day.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        if seed == 0 {
            return Self {
                equal_for: None,
                hasty_dropped: true,
                msg_id_once: false,
                ptwebqq_early: true,
                relink_renews: false,
                expired_code: 100_000,
                category_zero: true,
                echo_first: false,
                history_backwards: false,
                list_hash: '*',
                registers: false,
                unsigned_code: 103,
                lists_for: None,
                own_echo: true,
                friend_cface: false,
                five_arguments: false,
                ptwebqq_gone: false,
                cards_cut_inside: false,
                first_msg_id: 29_124,
                rng,
            };
        }
        // A row of its own, so that what older seeds decided stays as it was.
        let mut more = StdRng::seed_from_u64(seed ^ 0x2013);
        Self {
            list_hash: ['P', 'O', 'Q', 'N', '-'][more.random_range(0..5)],
            registers: more.random_bool(0.5),
            unsigned_code: [103, 108][more.random_range(0..2)],
            lists_for: [None, Some(2700)][more.random_range(0..2)],
            own_echo: more.random_bool(0.7),
            friend_cface: more.random_bool(0.5),
            cards_cut_inside: more.random_bool(0.3),
            five_arguments: more.random_bool(0.5),
            ptwebqq_gone: more.random_bool(0.5),
            equal_for: [None, Some(60), Some(10)][rng.random_range(0..3)],
            hasty_dropped: rng.random_bool(0.7),
            msg_id_once: rng.random_bool(0.3),
            ptwebqq_early: rng.random_bool(0.5),
            relink_renews: rng.random_bool(0.5),
            expired_code: [100_000, 100_012, 103][rng.random_range(0..3)],
            category_zero: rng.random_bool(0.5),
            first_msg_id: rng.random_range(1..60_000),
            echo_first: rng.random_bool(0.5),
            history_backwards: rng.random_bool(0.5),
            rng,
        }
    }

    /// One of `n` equal choices, counted from 0.
    pub(crate) fn pick(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n.max(1))
    }
}
