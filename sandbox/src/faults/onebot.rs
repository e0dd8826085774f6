//! The kinds of misbehaviour of `OneBot` programs and their connections.

use super::Kind;

const ACTION: (&str, &str) = (
    "action",
    "only calls of that action, as \"send_group_msg\"; default: any",
);
const SEND: (&str, &str) = (
    "action",
    "only calls of that action; default: anything that sends a message",
);

/// The kinds.
pub(super) const KINDS: [Kind; 16] = [
    Kind {
        word: "drop_call",
        does: "a call is neither done nor answered",
        parameters: &[ACTION],
        lasting: false,
    },
    Kind {
        word: "drop_answer",
        does: "a call is done and never answered",
        parameters: &[ACTION],
        lasting: false,
    },
    Kind {
        word: "late_answer",
        does: "a call is done at once and answered late",
        parameters: &[ACTION, ("delay", "as \"3s\"; default 3s")],
        lasting: false,
    },
    Kind {
        word: "timeout_delivered",
        does: "a send is answered with the flavour's time-out error (NapCat: 1200) though everybody got the message",
        parameters: &[SEND],
        lasting: false,
    },
    Kind {
        word: "timeout_lost",
        does: "a send is answered with the same error, and nobody got the message",
        parameters: &[SEND],
        lasting: false,
    },
    Kind {
        word: "reorder_answers",
        does: "answers are held back and given in reverse order, at the latest after two seconds",
        parameters: &[
            ACTION,
            ("size", "how many answers; default 3; the count is of such bunches"),
        ],
        lasting: false,
    },
    Kind {
        word: "lost_event",
        does: "an event is not told",
        parameters: &[("post_type", "only events of that post_type; default: message")],
        lasting: false,
    },
    Kind {
        word: "duplicate_event",
        does: "an event is told twice",
        parameters: &[("post_type", "only events of that post_type; default: message")],
        lasting: false,
    },
    Kind {
        word: "huge_frame",
        does: "an event is padded with a field \"raw\"",
        parameters: &[("size", "bytes of padding; default 8388608, at most 134217728")],
        lasting: false,
    },
    Kind {
        word: "garbage_frame",
        does: "before an event comes a frame that is none: no JSON, half of one, a number, a binary, wrong types; in turns",
        parameters: &[],
        lasting: false,
    },
    Kind {
        word: "cut_socket",
        does: "instead of a frame the connection ends",
        parameters: &[
            ("on", "\"event\" or \"answer\": what is cut off; default event"),
            ("mid_frame", "true: after half of the frame was written; default false"),
        ],
        lasting: false,
    },
    Kind {
        word: "silent_socket",
        does: "a connection is accepted, and nothing is ever said on it",
        parameters: &[],
        lasting: false,
    },
    Kind {
        word: "refuse_socket",
        does: "a connection is refused with an HTTP status",
        parameters: &[("status", "default 503")],
        lasting: false,
    },
    Kind {
        word: "silent_offline",
        does: "QQ has thrown the account off the line and its program does not notice: heartbeats stay cheerful, nothing \
            comes, sends time out",
        parameters: &[],
        lasting: true,
    },
    Kind {
        word: "short_history",
        does: "a history has fewer messages than are there",
        parameters: &[("messages", "how many at most; default 0")],
        lasting: true,
    },
    Kind {
        word: "fail_call",
        does: "a call is not done and answered with the flavour's error for what it does not know a reason for",
        parameters: &[ACTION],
        lasting: false,
    },
];
