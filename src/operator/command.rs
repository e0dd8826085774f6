//! What admins can order by chat.

use super::Desk;
use crate::model::AccountName;

const HELP: &str = "help — this list
status — how every part of the gateway is
reload — read bridge.toml again
login <account> — let a QQ account log in now (a new QR code)
captcha <account> <letters> — what the captcha of an account shows; while only one is asked for, the letters alone will do";

/// What an admin is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) text: String,
    /// The account that the order was about.
    pub(super) about: Option<About>,
}

/// What an order was, for the account that it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    Login(AccountName),
    Captcha(AccountName),
}

impl Reply {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            about: None,
        }
    }
}

/// Runs one line of an admin and gives the answer.
pub(super) async fn run(line: &str, desk: &Desk) -> Reply {
    let words: Vec<&str> = line.split_whitespace().collect();
    let command = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
    match (command.as_str(), words.get(1..).unwrap_or_default()) {
        ("help" | "?", _) => Reply::plain(HELP),
        ("status", _) => Reply::plain(desk.board.to_string()),
        ("reload", _) => Reply::plain(desk.reload().await),
        ("login", [account, ..]) => {
            let account = AccountName((*account).into());
            desk.needs.ask(&account);
            let text = desk.login(&account).await;
            let about = Some(About::Login(account));
            Reply { text, about }
        }
        ("login", []) => Reply::plain("which account? login <account>; status lists them"),
        ("captcha", [account, letters]) => captcha(AccountName((*account).into()), letters, desk).await,
        ("captcha", [letters]) => letters_alone(letters, line, desk).await,
        ("captcha", _) => Reply::plain("captcha <account> <letters>: the letters are one word"),
        (_, []) if !desk.needs.captchas().is_empty() => letters_alone(line.trim(), line, desk).await,
        _ => unknown(line),
    }
}

/// Letters without a name: for the only captcha that waits for an answer.
async fn letters_alone(letters: &str, line: &str, desk: &Desk) -> Reply {
    match desk.needs.captchas().as_slice() {
        [] => unknown(line),
        [account] => captcha(account.clone(), letters, desk).await,
        accounts => {
            let names: Vec<&str> = accounts.iter().map(AccountName::as_str).collect();
            let names = names.join(", ");
            Reply::plain(format!(
                "several accounts wait for a captcha: {names}. Say which: captcha <account> <letters>"
            ))
        }
    }
}

async fn captcha(account: AccountName, letters: &str, desk: &Desk) -> Reply {
    let (Ok(text) | Err(text)) = desk.captcha(&account, None, letters).await;
    let about = Some(About::Captcha(account));
    Reply { text, about }
}

fn unknown(line: &str) -> Reply {
    let shown: String = line.chars().take(100).collect();
    Reply::plain(format!("I do not know «{}»; try help", shown.trim()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::mpsc;

    use super::*;
    use crate::operator::{Board, Needs, Order, Part, State};
    use crate::qq::Need;

    fn desk() -> (Desk, mpsc::Receiver<Order>) {
        let (orders, inbox) = mpsc::channel(1);
        (Desk::new(Board::new(), Needs::new(), orders), inbox)
    }

    async fn said(line: &str, desk: &Desk) -> String {
        run(line, desk).await.text
    }

    fn captcha_of(account: &str, desk: &Desk) -> AccountName {
        let account = AccountName(account.into());
        let picture: Arc<[u8]> = Arc::from(&b"jpeg"[..]);
        desk.needs.open(&account, Need::Captcha { picture });
        account
    }

    /// Takes one answer to a captcha as the gateway would, and gives it.
    async fn taken(inbox: &mut mpsc::Receiver<Order>) -> (String, String) {
        let Some(Order::Captcha(account, text, reply)) = inbox.recv().await else {
            panic!("a captcha was answered")
        };
        reply.send(true).expect("the operator waits");
        (account.to_string(), text)
    }

    #[tokio::test]
    async fn answers_what_it_knows_and_says_what_it_does_not() {
        let (desk, mut inbox) = desk();
        desk.board.set(&Part::Component, State::Online);
        assert_eq!(said(" status ", &desk).await, "component: online");
        let help = said("help", &desk).await;
        assert!(help.contains("reload") && help.contains("captcha <account> <letters>"));
        assert_eq!(said("sing", &desk).await, "I do not know «sing»; try help");
        let gateway = tokio::spawn(async move {
            let Some(Order::Login(account, reply)) = inbox.recv().await else {
                panic!("a login was ordered")
            };
            reply.send(account.as_str() == "main").expect("the operator waits");
        });
        let answer = run("LOGIN main", &desk).await;
        assert!(answer.text.starts_with("account main is asked to log in"));
        assert_eq!(answer.about, Some(About::Login(AccountName("main".into()))));
        gateway.await.expect("the gateway answered");
        assert_eq!(said("reload", &desk).await, "the gateway is stopping");
    }

    #[tokio::test]
    async fn one_word_answers_the_only_captcha_and_no_second_one_follows() {
        let (desk, mut inbox) = desk();
        captcha_of("main", &desk);
        assert!(said("status", &desk).await.is_empty());
        assert_eq!(said("two words", &desk).await, "I do not know «two words»; try help");
        let (answer, got) = tokio::join!(said(" aBcD ", &desk), taken(&mut inbox));
        assert_eq!(got, ("main".to_owned(), "aBcD".to_owned()));
        assert!(answer.contains("your answer goes to QQ"), "{answer}");
        assert_eq!(said("thanks", &desk).await, "I do not know «thanks»; try help");
        // A wrong answer brings another picture, which takes the next word; also one that is a command.
        captcha_of("main", &desk);
        let (_, got) = tokio::join!(said("captcha help", &desk), taken(&mut inbox));
        assert_eq!(got.1, "help");
    }

    #[tokio::test]
    async fn with_several_captchas_an_answer_names_its_account() {
        let (desk, mut inbox) = desk();
        captcha_of("main", &desk);
        captcha_of("second", &desk);
        for line in ["abcd", "captcha abcd"] {
            let answer = said(line, &desk).await;
            assert!(answer.contains("main, second"), "{answer}");
        }
        let (_, got) = tokio::join!(said("captcha second abcd", &desk), taken(&mut inbox));
        assert_eq!(got, ("second".to_owned(), "abcd".to_owned()));
        let nobody = said("captcha third abcd", &desk).await;
        assert_eq!(nobody, "account third has no captcha to be answered");
        let long = said(&format!("captcha main {}", "a".repeat(33)), &desk).await;
        assert!(long.contains("a few letters"), "{long}");
    }
}
