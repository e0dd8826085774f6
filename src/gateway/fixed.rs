//! What the first joined room fixes for as long as the store lives. Looked at before a configuration is put in force.

use std::path::Path;

use crate::config::{Config, Problems};
use crate::store::Store;

/// The kind of addresses that puppets have: other services know them by these. `path` is the file that the configuration is
/// from. Fails with [`Problems`] when the file wants another kind than there is.
pub(super) async fn check_puppet_address(store: &Store, config: &Config, path: &Path) -> anyhow::Result<()> {
    if config.mappings.iter().all(|row| row.kind.joined().is_none()) {
        return Ok(());
    }
    let wanted = config.xmpp.puppet_address.as_str();
    let fixed = store.fix_puppet_address(wanted).await?;
    if fixed == wanted {
        return Ok(());
    }
    let what = format!(
        "[xmpp] `puppet_address` cannot be \"{wanted}\": it was \"{fixed}\" when a room of another service was joined first. With \
         other addresses every QQ member would be a stranger in these rooms, and bans would fit nobody"
    );
    let instead = format!("write the old value back: puppet_address = \"{fixed}\"");
    Err(Problems::contradiction(path, what, instead).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTED: &str = r#"
[xmpp]
domain = "qq.example.org"
server = "127.0.0.1:5347"
secret = "hush"
admins = ["alice@example.org"]
[store]
path = "qqxmpp.db"
[[account]]
name = "main"
protocol = "onebot"
url = "ws://127.0.0.1:3001"
[[mapping]]
group = 346000003
room = "rust@qq.example.org"
"#;

    #[tokio::test]
    async fn the_first_joined_room_fixes_the_kind_of_addresses() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(&dir.path().join("db")).expect("a store");
        let path = Path::new("bridge.toml");
        let judge = async |text: &str| {
            let config = Config::load(text, path, &|_| None).expect("fine");
            check_puppet_address(&store, &config, path).await
        };
        let number = |text: &str| text.replace("admins", "puppet_address = \"number\"\nadmins");
        let joined = format!("{HOSTED}[[mapping]]\ngroup = 346000004\nroom = \"cats@conference.example.org\"\n");
        judge(HOSTED).await.expect("nothing is fixed");
        judge(&number(&joined)).await.expect("fixed now");
        judge(HOSTED).await.expect("no room is joined");
        let refused = judge(&joined).await.expect_err("another kind");
        assert!(refused.is::<Problems>());
        assert_eq!(
            refused.to_string(),
            "bridge.toml: [xmpp] `puppet_address` cannot be \"hashed\": it was \"number\" when a room of another service was joined \
             first. With other addresses every QQ member would be a stranger in these rooms, and bans would fit nobody\n  = write \
             the old value back: puppet_address = \"number\""
        );
        judge(&number(&joined)).await.expect("as it was");
    }
}
