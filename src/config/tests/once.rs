//! Problems of the sections that are there once, and of accounts.

use std::path::Path;

use super::{BASE, load, told, told_with, with};
use crate::config::Config;

#[test]
fn all_problems_come_at_once_in_the_order_of_lines() {
    let text = "\
titel = \"x\"

[xmpp]
domian = \"qq.example.org\"
server = \"localhost\"
secret = 12345
admins = [\"alice@example.org\", \"@\", 3]

[https]
";
    assert_eq!(
        told(text),
        "\
bridge.toml:1: `titel` is no known key
  1 | titel = \"x\"
    = there are `account`, `http`, `mapping`, `relay`, `rooms`, `run`, `store`, `xmpp`
bridge.toml:3: [xmpp] `domain` is missing
  3 | [xmpp]
    = add a line domain = \"qq.example.org\"
bridge.toml:4: [xmpp] `domian` is no known key
  4 | domian = \"qq.example.org\"
    = did you mean `domain`?
bridge.toml:5: [xmpp] `server` cannot be \"localhost\"
  5 | server = \"localhost\"
    = write name and port, or address and port, like \"127.0.0.1:5347\"
bridge.toml:6: [xmpp] `secret` must be text, not a number
  6 | secret = …
    = put it in double quotes
bridge.toml:7: [xmpp] `admins` cannot be \"@\": malformed JID, nodepart empty despite the presence of a @
  7 | admins = [\"alice@example.org\", \"@\", 3]
    = write an address without a resource, like \"name@example.org\"
bridge.toml:7: [xmpp] `admins` must be text, not a number
  7 | admins = [\"alice@example.org\", \"@\", 3]
    = put it in double quotes
bridge.toml:9: `https` is no known key
  9 | [https]
    = did you mean `http`?
bridge.toml: [store] `path` is missing
  = add a line path = \"qqxmpp.db\", below a line [store]"
    );
}

#[test]
fn what_is_no_toml_is_told_line_by_line_and_without_secrets() {
    assert_eq!(
        told("[xmpp]\ndomain = qq.example.org\nsecret = \"hush\nserver = \"a:1\"\nserver = \"b:1\"\n"),
        "\
bridge.toml:2: this is no TOML: string values must be quoted, expected literal string
  2 | domain = qq.example.org
    = write one key = value on a line, texts in \"quotes\"
bridge.toml:3: this is no TOML: invalid basic string, expected `\"`
  3 | secret = …
    = write one key = value on a line, texts in \"quotes\"
bridge.toml:5: this is no TOML: duplicate key
  5 | server = \"b:1\"
    = keep one of the lines"
    );
}

#[test]
fn keys_of_later_versions_are_told_apart() {
    assert_eq!(
        told_with(
            "[store]",
            "upload = \"upload.example.org\"\n[rooms]\ndynamic = true\n[store]"
        ),
        "\
bridge.toml:7: [xmpp] `upload` is not in this version of qqxmpp
  7 | upload = \"upload.example.org\"
    = take the line out, or take a version that has it
bridge.toml:9: [rooms] `dynamic` is not in this version of qqxmpp
  9 | dynamic = true
    = take the line out, or take a version that has it"
    );
}

#[test]
fn the_parent_of_the_domain_must_be_somebody() {
    let text = with("\"qq.example.org\"", "\"example.org\"").replace("rust@qq.", "rust@");
    assert_eq!(
        told(&text),
        "\
bridge.toml:2: [xmpp] `allow` is missing: example.org has no parent domain that could be your users'
  2 | domain = \"example.org\"
    = say who may join the rooms: add a line allow = [\"example.org\"]"
    );
    let localhost = BASE.replace("qq.example.org", "qq.localhost");
    assert!(super::load(&localhost).is_ok());
}

#[test]
fn domains_and_rules() {
    assert_eq!(
        told_with(
            "domain = \"qq.example.org\"",
            "domain = \"gateway@qq.example.org\"\nallow = [\"*@example.org\"]"
        ),
        "\
bridge.toml:2: [xmpp] `domain` cannot be \"gateway@qq.example.org\": it is the address of somebody
  2 | domain = \"gateway@qq.example.org\"
    = write a domain alone, like \"qq.example.org\"
bridge.toml:3: [xmpp] `allow` cannot hold \"*@example.org\"
  3 | allow = [\"*@example.org\"]
    = write \"alice@example.org\", \"example.org\", \"*.example.org\" or \"*\""
    );
}

#[test]
fn secrets_are_set_once_and_readable() {
    assert_eq!(
        told_with("secret = \"hush\"\n", ""),
        "\
bridge.toml:1: [xmpp] `secret` is missing
  1 | [xmpp]
    = write secret = \"…\", or secret_file = \"path\", or set QQXMPP_XMPP_SECRET in the environment"
    );
    assert_eq!(
        told_with("secret = \"hush\"", "secret_file = \"no/such\""),
        "\
bridge.toml:4: [xmpp] the file \"no/such\" of `secret_file` cannot be read: No such file or directory (os error 2)
  4 | secret_file = \"no/such\"
    = see that it is there and that the gateway's user may read it"
    );
    assert_eq!(
        told_with("\"hush\"", "\"\""),
        "\
bridge.toml:4: [xmpp] `secret` is empty
  4 | secret = …
    = write the same as on the other side"
    );
    let env = |name: &str| (name == "QQXMPP_XMPP_SECRET").then(|| "hush".to_owned());
    let problems = Config::load(BASE, Path::new("bridge.toml"), &env).expect_err("twice");
    assert_eq!(
        problems.to_string(),
        "\
bridge.toml:4: [xmpp] `secret` is set twice: by `secret` and by QQXMPP_XMPP_SECRET of the environment
  4 | secret = …
    = keep one of them"
    );
}

#[test]
fn values_have_kinds_and_limits() {
    let instead = "\
[http]
listen = 9680
[relay]
template = \"{nick}\"
give_up = 600
[rooms]
farewell = \"yes\"
[run]
drain_timeout = \"1y\"
[store]
keep = \"soon\"";
    assert_eq!(
        told_with("[store]", instead),
        "\
bridge.toml:8: [http] `listen` must be text, not a number
  8 | listen = 9680
    = put it in double quotes
bridge.toml:10: [relay] `template` must contain {nick} and {text}, once each, and no other braces
  10 | template = \"{nick}\"
     = write it like \"{nick}: {text}\"
bridge.toml:11: [relay] `give_up` must be a span of time, not a number
  11 | give_up = 600
     = write a number and a unit in quotes: \"500ms\", \"30s\", \"10m\", \"24h\" or \"90d\"
bridge.toml:13: [rooms] `farewell` must be true or false, not text
  13 | farewell = \"yes\"
     = write true or false, without quotes
bridge.toml:15: [run] `drain_timeout` cannot be \"1y\"
  15 | drain_timeout = \"1y\"
     = write something from \"0s\" to \"10m\"
bridge.toml:17: [store] `keep` cannot be \"soon\": that is no span of time
  17 | keep = \"soon\"
     = write a number and a unit in quotes: \"500ms\", \"30s\", \"10m\", \"24h\" or \"90d\""
    );
}

#[test]
fn accounts() {
    let more = "\
[[account]]
name = \"Main\"
protocol = \"onebot\"
url = \"ws://127.0.0.1:3001\"
access_token = \"hush\"

[[account]]
name = \"classic\"
protocol = \"web\"
server = \"http://me:hush@127.0.0.1:8600/path\"
login = \"password\"
password = \"hush\"

[[mapping]]";
    assert_eq!(
        told_with("[[mapping]]", more),
        "\
bridge.toml:17: [[account]] `name` cannot be \"Main\"
  17 | name = \"Main\"
     = write small letters, digits and _ alone, like \"main\"
bridge.toml:23: [[account]] `name` is \"classic\" again: it stands in line 11 already
  23 | name = \"classic\"
     = give each account a name of its own
bridge.toml:24: [[account]] `protocol` cannot be \"web\"
  24 | protocol = \"web\"
     = write \"onebot\" or \"webqq\""
    );
    assert_eq!(
        told_with(
            "http://127.0.0.1:8600\"\nlogin = \"qr\"",
            "ftp://me:hush@127.0.0.1\"\nlogin = \"password\"\nserver_port = 1"
        ),
        "\
bridge.toml:10: [[account]] `qq` is missing
  10 | [[account]]
     = add a line qq = 123456789
bridge.toml:10: [[account]] `password` is missing
  10 | [[account]]
     = write password = \"…\", or password_file = \"path\", or set QQXMPP_ACCOUNT_CLASSIC_PASSWORD in the environment
bridge.toml:13: [[account]] `server` is no address of an HTTP server
  13 | server = \"ftp://…@127.0.0.1\"
     = write scheme, host and port alone, like \"http://127.0.0.1:8600\"
bridge.toml:15: [[account]] `server_port` is no known key
  15 | server_port = 1
     = did you mean `server`?"
    );
    assert_eq!(
        told_with(
            "login = \"qr\"",
            "login = \"qr\"\nqq = 123456789\npassword = \"hush\"\nlisten = \"127.0.0.1:6199\""
        ),
        "\
bridge.toml:15: [[account]] `qq` is a key of accounts with login = \"password\"
  15 | qq = 123456789
     = take the line out
bridge.toml:16: [[account]] `password` is a key of accounts with login = \"password\"
  16 | password = …
     = take the line out
bridge.toml:17: [[account]] `listen` is a key of onebot accounts
  17 | listen = \"127.0.0.1:6199\"
     = take the line out"
    );
    assert_eq!(
        told_with(
            "login = \"qr\"",
            "login = \"password\"\nqq = 12\npassword = \"hush\"\npassword_file = \"p\""
        ),
        "\
bridge.toml:15: [[account]] `qq` cannot be 12: that is no QQ number
  15 | qq = 12
     = write the number as QQ shows it, without quotes
bridge.toml:17: [[account]] `password` is set twice: by `password` and by `password_file`
  17 | password_file = \"p\"
     = keep one of them"
    );
}

#[test]
fn accounts_of_onebot() {
    let account = |keys: &str| {
        let more = format!(
            "[[account]]\nname = \"main\"\nprotocol = \"onebot\"\n{keys}\n\n[[mapping]]\naccount = \"classic\""
        );
        with("[[mapping]]", &more)
    };
    let told = |keys: &str| told(&account(keys));
    assert!(told("access_token = \"hush\"").starts_with(
        "\
bridge.toml:16: [[account]] `url` is missing
  16 | [[account]]
     = add a line url = \"ws://127.0.0.1:3001\", or listen = \"127.0.0.1:6199\" when the other side connects"
    ));
    assert_eq!(
        told("url = \"http://127.0.0.1:3001\"\nlogin = \"qr\"\nqq = 123456789"),
        "\
bridge.toml:19: [[account]] `url` is no address of a WebSocket server
  19 | url = \"http://127.0.0.1:3001\"
     = write it like \"ws://127.0.0.1:3001\", or wss:// for TLS
bridge.toml:20: [[account]] `login` is a key of webqq accounts
  20 | login = \"qr\"
     = take the line out
bridge.toml:21: [[account]] `qq` is for `listen` alone
  21 | qq = 123456789
     = take the line out"
    );
    assert_eq!(
        told("url = \"ws://127.0.0.1:3001/?access_token=hush\"\nlisten = \"127.0.0.1:6199\""),
        "\
bridge.toml:19: [[account]] `url` holds a secret
  19 | url = \"ws://127.0.0.1:3001/?access_token= …
     = write it into a line of its own: access_token = \"…\"
bridge.toml:20: [[account]] `listen` stands beside `url`
  20 | listen = \"127.0.0.1:6199\"
     = keep one: with `url` the gateway connects, with `listen` the other side does"
    );
    assert_eq!(
        told("listen = \"0.0.0.0:6199\"\nqq = \"me\""),
        "\
bridge.toml:20: [[account]] `qq` must be a QQ number, not text
  20 | qq = \"me\"
     = write the number as QQ shows it, without quotes"
    );
    assert_eq!(
        told("listen = \"0.0.0.0:6199\""),
        "\
bridge.toml:19: [[account]] `access_token` is missing: who reaches 0.0.0.0:6199 could speak as the account
  19 | listen = \"0.0.0.0:6199\"
     = add a line access_token = \"…\", the same as on the other side"
    );
    let two = "listen = \"127.0.0.1:6199\"\nqq = 10001\n[[account]]\nname = \"other\"\nprotocol = \"onebot\"\nlisten = \"127.0.0.1:6199\"";
    assert_eq!(
        told(two),
        "\
bridge.toml:24: [[account]] `listen` is 127.0.0.1:6199 again: it stands in line 19 already
  24 | listen = \"127.0.0.1:6199\"
     = give each of these accounts its own number: qq = 123456789"
    );
    assert!(load(&account(&format!("{two}\nqq = 10002"))).is_ok());
}

#[test]
fn what_is_fetched_after_an_outage() {
    assert_eq!(
        told_with(
            "[store]",
            "[relay]\nbackfill = { count = -1, age = \"48h\", ages = 1 }\n[store]\nkeep = \"1d\""
        ),
        "\
bridge.toml:8: [relay] `backfill` `count` cannot be -1
  8 | backfill = { count = -1, age = \"48h\", ages = 1 }
    = write a number from 0 to 100000
bridge.toml:8: [relay] `backfill` `age` is longer than `keep` of [store]
  8 | backfill = { count = -1, age = \"48h\", ages = 1 }
    = the archive knows what was shown already: fetch nothing older than it keeps
bridge.toml:8: [relay] `backfill` `ages` is no known key
  8 | backfill = { count = -1, age = \"48h\", ages = 1 }
    = did you mean `age`?"
    );
    let short = load(&with("[store]", "[store]\nkeep = \"2h\"")).expect("fine");
    assert_eq!(short.relay.backfill.age, std::time::Duration::from_secs(2 * 3600));
}

#[test]
fn tables_have_one_bracket_or_two() {
    let text = BASE.replace("[store]", "[[store]]").replace("[[mapping]]", "[mapping]");
    assert_eq!(
        told(&text),
        "\
bridge.toml:7: `store` must be a table, not a list
  7 | [[store]]
    = begin it with a line [store], once
bridge.toml:16: `mapping` must be a list of tables
  16 | [mapping]
     = begin each with a line [[mapping]], with two brackets
bridge.toml: [store] `path` is missing
  = add a line path = \"qqxmpp.db\", below a line [store]"
    );
}
