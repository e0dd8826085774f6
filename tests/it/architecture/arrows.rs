//! The tables: what each module may name.

/// A module of ours, and the paths of ours that it may begin with. Its own it may always name. `*`: everybody.
pub(super) const ARROWS: [(&str, &[&str]); 17] = [
    ("cli", &["config", "gateway", "store"]),
    ("gateway", &["*"]),
    ("portal", &["room", "qq", "xmpp", "store", "media", "mapping", "model"]),
    (
        "room",
        &[
            "xmpp::payload",
            "xmpp::render",
            "xmpp::read",
            "xmpp::Event",
            "xmpp::Outgoing",
            "xmpp::Addresses",
            "model",
        ],
    ),
    ("outbox", &["qq", "store", "model"]),
    ("operator", &["qq", "xmpp", "store", "model"]),
    ("qq", &["model"]),
    ("xmpp", &["model"]),
    ("store", &["model"]),
    ("media", &["model"]),
    ("mapping", &["model"]),
    ("http", &["operator", "metrics"]),
    ("config", &["model"]),
    ("metrics", &["model"]),
    ("model", &[]),
    ("backoff", &[]),
    ("main", &[]),
];

/// What everybody else may name too.
pub(super) const COMMON: [&str; 3] = ["config", "metrics", "backoff"];

/// Those below everybody: nothing is common to them.
pub(super) const ROOTS: [&str; 4] = ["config", "metrics", "model", "backoff"];

/// Paths of other crates that have their place.
pub(super) struct Rule {
    /// Crates, or paths in them.
    pub(super) paths: &'static [&'static str],
    /// Not in files whose names begin so …
    pub(super) within: &'static str,
    /// … except these.
    pub(super) except: &'static [&'static str],
    pub(super) why: &'static str,
}

/// All such rules.
pub(super) const PATHS: &[Rule] = &[
    Rule {
        paths: &["qqxmpp"],
        within: "sandbox/",
        except: &[],
        why: "the sandbox is a stranger to the gateway",
    },
    Rule {
        paths: &["qq_sandbox"],
        within: "src/",
        except: &[],
        why: "the gateway is a stranger to the sandbox",
    },
    Rule {
        paths: &["rusqlite"],
        within: "src/",
        except: &["src/store/"],
        why: "the database is known in src/store/ alone",
    },
    Rule {
        paths: &[
            "tokio_xmpp::xmlstream",
            "tokio_xmpp::connect",
            "tokio_xmpp::component",
            "tokio_xmpp::stanzastream",
            "tokio_xmpp::Component",
            "tokio_xmpp::Client",
        ],
        within: "src/",
        except: &["src/xmpp/stream.rs", "src/xmpp/stream/"],
        why: "the stream of tokio-xmpp is known in src/xmpp/stream.rs alone",
    },
    Rule {
        paths: &["tokio", "reqwest"],
        within: "src/room/",
        except: &[],
        why: "rooms are values in, values out",
    },
    Rule {
        paths: &["tokio", "tokio_xmpp", "xmpp_parsers", "reqwest", "toml"],
        within: "src/model/",
        except: &[],
        why: "the model is plain data",
    },
    Rule {
        paths: &["tokio_xmpp", "xmpp_parsers", "minidom", "xso", "jid"],
        within: "src/qq/",
        except: &[],
        why: "the QQ side knows nothing of XMPP",
    },
    Rule {
        paths: &["qqxmpp::config", "qqxmpp::gateway", "qqxmpp::store"],
        within: "src/main.rs",
        except: &[],
        why: "main only calls cli",
    },
];

/// How statements begin.
pub(super) const SQL: [&str; 6] = [
    "\"SELECT ",
    "\"INSERT ",
    "\"UPDATE ",
    "\"DELETE FROM",
    "\"CREATE TABLE",
    "\"PRAGMA ",
];
