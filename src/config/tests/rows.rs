//! Problems of the mapping's rows.

use super::{BASE, told, told_with};

#[test]
fn groups_and_rooms_stand_in_one_row() {
    let text =
        format!("{BASE}\n[[mapping]]\ngroup = [346000005, 346000003, 346000005]\nroom = \"RUST@qq.example.org\"\n");
    assert_eq!(
        told(&text),
        "\
bridge.toml:21: [[mapping]] `group` holds 346000003 again: it stands in line 17 already
  21 | group = [346000005, 346000003, 346000005]
     = a group stands in one row, once; take it out of one of them
bridge.toml:21: [[mapping]] `group` holds 346000005 again: it stands in line 21 already
  21 | group = [346000005, 346000003, 346000005]
     = a group stands in one row, once; take it out of one of them
bridge.toml:22: [[mapping]] `room` is \"rust@qq.example.org\" again: it stands in line 18 already
  22 | room = \"RUST@qq.example.org\"
     = a room stands in one row; for several groups in one room write group = [ … ]"
    );
}

#[test]
fn some_local_parts_are_no_rooms() {
    let cases = [
        ("10001", "digits alone are the address of a QQ member"),
        ("bridge", "that is the gateway's own address"),
        ("u-cats", "`u-` begins the addresses of QQ members"),
    ];
    for (local, why) in cases {
        let expected = format!(
            "\
bridge.toml:18: [[mapping]] `room` cannot be \"{local}@qq.example.org\": {why}
  18 | room = \"{local}@qq.example.org\"
     = take another name, like \"room-{local}@qq.example.org\""
        );
        assert_eq!(told_with("rust@", &format!("{local}@")), expected);
    }
}

#[test]
fn rooms_are_bare_addresses() {
    assert_eq!(
        told_with("\"rust@qq.example.org\"", "\"rust@qq.example.org/x\"\npuppets_max = 0"),
        "\
bridge.toml:18: [[mapping]] `room` cannot be \"rust@qq.example.org/x\": malformed JID, resource found while parsing a bare JID
  18 | room = \"rust@qq.example.org/x\"
     = write an address without a resource, like \"name@example.org\"
bridge.toml:19: [[mapping]] `puppets_max` cannot be 0
  19 | puppets_max = 0
     = write a number from 1 to 1000"
    );
    assert_eq!(
        told_with("\"rust@qq.example.org\"", "\"conference.example.org\""),
        "\
bridge.toml:18: [[mapping]] `room` cannot be \"conference.example.org\": it has no local part
  18 | room = \"conference.example.org\"
     = write an address without a resource, like \"name@example.org\""
    );
}

#[test]
fn keys_of_the_other_kind_of_room() {
    assert_eq!(
        told_with("group =", "nick = \"QQ\"\npassword = \"hush\"\ngroup ="),
        "\
bridge.toml:17: [[mapping]] `nick` is a key of joined rooms (of other services), and rust@qq.example.org is none of them
  17 | nick = \"QQ\"
     = take the line out
bridge.toml:18: [[mapping]] `password` is a key of joined rooms (of other services), and rust@qq.example.org is none of them
  18 | password = …
     = take the line out"
    );
    assert_eq!(
        told_with(
            "\"rust@qq.example.org\"",
            "\"cats@conference.example.org\"\nname = \"\"\nowners = []\nnick = \"QQ\""
        ),
        "\
bridge.toml:19: [[mapping]] `name` is a key of hosted rooms (of qq.example.org), and cats@conference.example.org is none of them
  19 | name = \"\"
     = take the line out
bridge.toml:20: [[mapping]] `owners` is a key of hosted rooms (of qq.example.org), and cats@conference.example.org is none of them
  20 | owners = []
     = take the line out"
    );
}

#[test]
fn keys_of_joined_rooms() {
    let joined = |keys: &str| {
        told_with(
            "\"rust@qq.example.org\"",
            &format!("\"cats@conference.example.org\"\n{keys}"),
        )
    };
    assert_eq!(
        joined("puppets = \"all\"\npuppets_max = 1001\npuppets_idle = \"59s\""),
        "\
bridge.toml:19: [[mapping]] `puppets` cannot be \"all\"
  19 | puppets = \"all\"
     = write \"speakers\" or \"off\"
bridge.toml:20: [[mapping]] `puppets_max` cannot be 1001
  20 | puppets_max = 1001
     = write a number from 1 to 1000
bridge.toml:21: [[mapping]] `puppets_idle` cannot be \"59s\"
  21 | puppets_idle = \"59s\"
     = write something from \"1m\" to \"365d\""
    );
    assert_eq!(
        joined("nick = \" 🐱ＱＱ \""),
        "\
bridge.toml:19: [[mapping]] `nick` is no nick that every server leaves as it is
  19 | nick = \" 🐱ＱＱ \"
     = write what would become of it: \"QQ\""
    );
    assert_eq!(
        joined("nick = \"🐱\""),
        "\
bridge.toml:19: [[mapping]] `nick` holds nothing that every server takes for a nick
  19 | nick = \"🐱\"
     = write letters or digits, like \"QQ\""
    );
    assert_eq!(
        joined("password = \"hush\"\npassword_file = \"room.password\""),
        "\
bridge.toml:20: [[mapping]] `password` is set twice: by `password` and by `password_file`
  20 | password_file = \"room.password\"
     = keep one of them"
    );
    assert_eq!(
        told_with("admins =", "puppet_address = \"plain\"\nadmins ="),
        "\
bridge.toml:5: [xmpp] `puppet_address` cannot be \"plain\"
  5 | puppet_address = \"plain\"
    = write \"hashed\" or \"number\""
    );
}

#[test]
fn joined_rooms_stand_in_one_row_too() {
    let rows = "[[mapping]]\ngroup = 346000005\nroom = \"cats@conference.example.org\"\n\n\
                [[mapping]]\ngroup = 346000006\nroom = \"cats@conference.example.org\"\n";
    assert_eq!(
        told(&format!("{BASE}\n{rows}")),
        "\
bridge.toml:26: [[mapping]] `room` is \"cats@conference.example.org\" again: it stands in line 22 already
  26 | room = \"cats@conference.example.org\"
     = a room stands in one row; for several groups in one room write group = [ … ]"
    );
}

#[test]
fn rows_name_accounts_that_exist() {
    assert_eq!(
        told_with("group =", "account = \"clasic\"\ngroup ="),
        "\
bridge.toml:17: [[mapping]] `account` cannot be \"clasic\": there is no [[account]] of that name
  17 | account = \"clasic\"
     = write \"classic\""
    );
    let second =
        "[[account]]\nname = \"main\"\nprotocol = \"webqq\"\nserver = \"http://127.0.0.1:8601\"\nlogin = \"qr\"\n";
    assert_eq!(
        told_with("[[mapping]]", &format!("{second}\n[[mapping]]")),
        "\
bridge.toml:22: [[mapping]] `account` is missing
  22 | [[mapping]]
     = add a line account = \"classic\" or \"main\""
    );
    let (before, rest) = BASE.split_once("[[account]]").expect("an account");
    let (_, mapping) = rest.split_once("[[mapping]]").expect("a row");
    assert_eq!(
        told(&format!("{before}[[mapping]]{mapping}")),
        "\
bridge.toml:10: [[mapping]] `account` is missing
  10 | [[mapping]]
     = add an [[account]] to the file: no row works without one"
    );
}

#[test]
fn rows_are_whole() {
    assert_eq!(
        told(&format!(
            "{BASE}\n[[mapping]]\nrelay = \"up\"\noccupants = \"none\"\nname = \"\"\n"
        )),
        "\
bridge.toml:20: [[mapping]] `group` is missing
  20 | [[mapping]]
     = add a line group = 346000003, or several: group = [346000003, 346000005]
bridge.toml:20: [[mapping]] `room` is missing
  20 | [[mapping]]
     = add a line room = \"name@qq.example.org\"
bridge.toml:21: [[mapping]] `relay` cannot be \"up\"
  21 | relay = \"up\"
     = write \"both\" or \"to-xmpp\" or \"to-qq\"
bridge.toml:22: [[mapping]] `occupants` cannot be \"none\"
  22 | occupants = \"none\"
     = write \"all\" or \"active\" or \"auto\"
bridge.toml:23: [[mapping]] `name` is empty
  23 | name = \"\"
     = write a name, or take the line out"
    );
}

#[test]
fn group_numbers() {
    assert_eq!(
        told_with("346000003", "\"346000003\""),
        "\
bridge.toml:17: [[mapping]] `group` must be a group's number, not text
  17 | group = \"346000003\"
     = write the number as QQ shows it, without quotes"
    );
    assert_eq!(
        told_with("346000003", "-5"),
        "\
bridge.toml:17: [[mapping]] `group` cannot be -5: that is no QQ group's number
  17 | group = -5
     = write the number as QQ shows it: five to eleven digits"
    );
    assert_eq!(
        told_with("346000003", "[]"),
        "\
bridge.toml:17: [[mapping]] `group` is empty
  17 | group = []
     = write at least one number: group = 346000003"
    );
    assert_eq!(
        told_with("346000003", "[346000003, 346000005]\ngroup_name = \"Rust\""),
        "\
bridge.toml:18: [[mapping]] `group_name` has 1 for 2 in `group`
  18 | group_name = \"Rust\"
     = write one name for each group, in the same order"
    );
}
