//! Files with nothing wrong in them.

use std::path::Path;
use std::time::Duration;

use super::{BASE, load, with};
use crate::config::{
    Allow, Config, Direction, Hosted, Http, Joined, Language, Login, Occupants, Protocol, PuppetAddress, Puppets,
    Reach, Relay, RoomKind, Rooms, Run, Secret,
};
use crate::model::{GroupNumber, QqNumber};

#[test]
fn the_least_is_enough() {
    let config = load(BASE).expect("fine");
    assert_eq!(config.xmpp.domain.as_str(), "qq.example.org");
    assert_eq!(config.xmpp.server.to_string(), "127.0.0.1:5347");
    assert_eq!(config.xmpp.secret.expose(), "hush");
    assert_eq!(config.xmpp.language, Language::En);
    assert_eq!(
        config.xmpp.allow,
        [Allow::Domain("example.org".parse().expect("a domain"))]
    );
    assert_eq!(config.store.path, Path::new("/etc/qqxmpp/qqxmpp.db"));
    assert_eq!(config.store.keep, Duration::from_secs(90 * 24 * 3600));
    assert_eq!(config.http, Http::default());
    assert_eq!(config.relay, Relay::default());
    assert_eq!(config.rooms, Rooms::default());
    assert_eq!(config.run, Run::default());
    let [row] = config.mappings.as_slice() else {
        panic!("one row: {config:?}");
    };
    assert_eq!(row.account.as_str(), "classic");
    assert_eq!(row.groups[0].number, GroupNumber(346_000_003));
    assert_eq!(row.relay, Direction::Both);
    let hosted = Hosted {
        name: None,
        owners: Vec::new(),
        allow: config.xmpp.allow.clone(),
        occupants: Occupants::Auto,
    };
    assert_eq!(row.kind, RoomKind::Hosted(hosted));
    assert_eq!(config.xmpp.puppet_address, PuppetAddress::Hashed);
}

#[test]
fn everything_can_be_said() {
    let text = with("admins =", "language = \"zh\"\nallow = [\"*\"]\nadmins =");
    let text = text.replace("[store]", "[http]\nlisten = \"[::1]:9680\"\n[relay]\ntemplate = \"<{nick}> {text}\"\ngive_up = \"1h 30m\"\n[rooms]\nfarewell = true\n[run]\ndrain_timeout = \"500ms\"\n[store]\nkeep = \"1d\"");
    let text = text.replace("[rooms]", "backfill = { count = 20 }\n[rooms]");
    let text = text.replace("login =", "send_every = \"3s\"\nlogin =");
    let text = text.replace(
        "group = 346000003",
        "account = \"classic\"\ngroup = [346000003, 346000005]\ngroup_name = [\"甲\", \"乙\"]\nname = \"Rust\"\nowners = [\"Bob@Example.org\"]\nallow = [\"bob@example.org\", \"*.friends.example\"]\nrelay = \"to-xmpp\"\noccupants = \"active\"",
    );
    let config = load(&text).expect("fine");
    assert_eq!(config.xmpp.language, Language::Zh);
    assert_eq!(
        config.http.listen.map(|at| at.to_string()).as_deref(),
        Some("[::1]:9680")
    );
    assert_eq!(config.relay.template.before("Bob"), "<Bob> ");
    assert_eq!(config.relay.give_up, Duration::from_secs(5400));
    assert_eq!(config.relay.backfill.count, 20);
    assert!(config.rooms.farewell);
    assert_eq!(config.run.drain_timeout, Duration::from_millis(500));
    assert_eq!(config.accounts[0].send_every, Some(Duration::from_secs(3)));
    let row = &config.mappings[0];
    assert_eq!(row.groups[1].number, GroupNumber(346_000_005));
    assert_eq!(row.groups[1].name.as_deref(), Some("乙"));
    assert!(row.relay.to_xmpp() && !row.relay.to_qq());
    let hosted = row.kind.hosted().expect("a hosted room");
    assert_eq!(hosted.name.as_deref(), Some("Rust"));
    assert_eq!(hosted.owners[0].as_str(), "bob@example.org");
    assert_eq!(hosted.allow.len(), 2);
    assert_eq!(hosted.occupants, Occupants::Active);
}

#[test]
fn a_room_of_another_domain_is_joined() {
    let joined = |keys: &str| {
        let text = with(
            "\"rust@qq.example.org\"",
            &format!("\"Cats@Conference.example.org\"\n{keys}"),
        );
        let row = load(&text).expect("fine").mappings.remove(0);
        assert_eq!(row.room.as_str(), "cats@conference.example.org");
        row.kind.joined().cloned().expect("a joined room")
    };
    let least = joined("");
    assert_eq!(least, Joined::default());
    assert_eq!((least.nick.as_str(), least.puppets_max), ("QQ", 100));
    assert_eq!(least.puppets_idle, Duration::from_secs(24 * 3600));
    let all = joined(
        "relay = \"to-qq\"\nnick = \"企鹅 1\"\npassword = \"a b\"\npuppets = \"off\"\npuppets_max = 1000\npuppets_idle = \"1m\"",
    );
    let expected = Joined {
        nick: "企鹅 1".into(),
        password: Some(Secret::new("a b")),
        puppets: Puppets::Off,
        puppets_max: 1000,
        puppets_idle: Duration::from_secs(60),
    };
    assert_eq!(all, expected);
    assert!(!format!("{all:?}").contains("a b"));
    // A sub-domain of the component's is not the component's.
    let text = with("rust@qq.example.org", "rust@x.qq.example.org");
    assert!(load(&text).expect("fine").mappings[0].kind.hosted().is_none());
}

#[test]
fn puppets_may_show_numbers() {
    let config = load(&with("admins =", "puppet_address = \"number\"\nadmins =")).expect("fine");
    assert_eq!(config.xmpp.puppet_address, PuppetAddress::Number);
}

#[test]
fn a_room_s_password_is_not_looked_for_outside() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("p"), "from a file\n").expect("written");
    let path = dir.path().join("bridge.toml");
    let env = |name: &str| (name != "QQXMPP_XMPP_SECRET").then(|| "from outside".to_owned());
    let password = |keys: &str| {
        let text = with(
            "\"rust@qq.example.org\"",
            &format!("\"cats@conference.example.org\"\n{keys}"),
        );
        let config = Config::load(&text, &path, &env).expect("fine");
        config.mappings[0]
            .kind
            .joined()
            .expect("a joined room")
            .password
            .clone()
    };
    assert_eq!(password(""), None);
    assert_eq!(password("password_file = \"p\""), Some(Secret::new("from a file")));
}

#[test]
fn a_onebot_account_connects_or_listens() {
    let account = |keys: &str| {
        let text = with(
            "protocol = \"webqq\"\nserver = \"http://127.0.0.1:8600\"\nlogin = \"qr\"",
            keys,
        );
        load(&text).expect("fine").accounts.remove(0).protocol
    };
    let Protocol::OneBot(forward) = account("protocol = \"onebot\"\nurl = \"wss://bot.example.org/x/onebot/v11?a=b\"")
    else {
        panic!("a onebot account")
    };
    assert_eq!(forward.access_token, None);
    assert!(matches!(forward.reach, Reach::Connect(url) if url.path() == "/x/onebot/v11"));
    let keys = "protocol = \"onebot\"\nlisten = \"0.0.0.0:6199\"\nqq = 123456789\naccess_token = \"hush\"";
    let Protocol::OneBot(reverse) = account(keys) else {
        panic!("a onebot account")
    };
    assert_eq!(reverse.access_token.expect("a token").expose(), "hush");
    assert!(matches!(
        reverse.reach,
        Reach::Listen {
            qq: Some(QqNumber(123_456_789)),
            ..
        }
    ));
}

#[test]
fn a_webqq_account_has_a_password_or_a_phone() {
    let account = |text: &str, env: &dyn Fn(&str) -> Option<String>| {
        let config = Config::load(text, Path::new("/etc/qqxmpp/bridge.toml"), env).expect("fine");
        match config.accounts.into_iter().next().expect("an account").protocol {
            Protocol::WebQq(keys) => keys.login,
            Protocol::OneBot(_) => panic!("a webqq account"),
        }
    };
    assert_eq!(account(BASE, &|_| None), Login::Qr);
    let login = Login::Password {
        qq: QqNumber(123_456_789),
        password: Secret::new("a b"),
    };
    let text = with("login = \"qr\"", "login = \"password\"\nqq = 123456789");
    let env = |name: &str| (name == "QQXMPP_ACCOUNT_CLASSIC_PASSWORD").then(|| "a b".to_owned());
    assert_eq!(account(&text, &env), login);
    let text = with(
        "login = \"qr\"",
        "login = \"password\"\nqq = 123456789\npassword = \"a b\"",
    );
    assert_eq!(account(&text, &|_| None), login);
    assert!(!format!("{login:?}").contains("a b"));
}

#[test]
fn differences_are_seen_secrets_too() {
    let config = load(BASE).expect("fine");
    assert_eq!(config, load(BASE).expect("fine"));
    assert_ne!(config, load(&with("hush", "other")).expect("fine"));
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn a_secret_may_stand_elsewhere() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("s"), "from a file\r\n").expect("written");
    let path = dir.path().join("bridge.toml");
    let in_file = with("secret = \"hush\"", "secret_file = \"s\"");
    let config = Config::load(&in_file, &path, &|_| None).expect("fine");
    assert_eq!(config.xmpp.secret.expose(), "from a file");

    let nowhere = with("secret = \"hush\"\n", "");
    let env = |name: &str| (name == "QQXMPP_XMPP_SECRET").then(|| "from outside".to_owned());
    let config = Config::load(&nowhere, &path, &env).expect("fine");
    assert_eq!(config.xmpp.secret.expose(), "from outside");
}
