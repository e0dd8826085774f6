//! What a person is told when a session needs one: a file beside the store, blocks in the terminal, words for the chat.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::{LoginPage, Open, private};
use crate::model::AccountName;
use crate::qq::Need;

/// Puts the picture beside the store, draws it in the terminal when there is one, and gives the words for the admins.
pub(super) async fn prepare(folder: &Path, account: &AccountName, open: &Open, page: Option<&LoginPage>) -> String {
    let file = save(folder, account, &open.need).await;
    let address = page.map(|page| page.address(account));
    let page = address.as_deref().map_or(Page::Missing, Page::At);
    let drawing = match &open.need {
        Need::ScanQr { text: Some(text), .. } => draw(text).unwrap_or_default(),
        _ => String::new(),
    };
    if open.picture().is_some() && std::io::stderr().is_terminal() {
        // Without the page: a terminal's words end in logs.
        eprintln!("{}\n{drawing}", words(account, &open.need, &file, &Page::Untold));
    }
    let words = words(account, &open.need, &file, &page);
    if drawing.is_empty() {
        words
    } else {
        format!("{words}\n{drawing}")
    }
}

/// Saves the picture and says where it is.
async fn save(folder: &Path, account: &AccountName, need: &Need) -> String {
    let Some((path, bytes)) = picture(folder, account, need) else {
        return String::new();
    };
    match private::write(&path, bytes).await {
        Ok(()) => format!("the file {} on the gateway's machine", path.display()),
        Err(error) => format!("(it could not be written to {}: {error})", path.display()),
    }
}

fn picture<'a>(folder: &Path, account: &AccountName, need: &'a Need) -> Option<(PathBuf, &'a [u8])> {
    match need {
        Need::ScanQr { png, .. } => Some((folder.join(format!("qr-{account}.png")), png)),
        Need::Captcha { picture } => Some((folder.join(format!("captcha-{account}.jpg")), picture)),
        Need::Attention(_) => None,
    }
}

/// What is said of the login page.
#[derive(Debug)]
enum Page<'a> {
    At(&'a str),
    Missing,
    /// Its address must not be seen here.
    Untold,
}

fn words(account: &AccountName, need: &Need, file: &str, page: &Page<'_>) -> String {
    let no_page = "there is no page for it, since [http] listen is off";
    match need {
        Need::ScanQr { .. } => {
            let newest = match page {
                Page::Untold => format!("It is also {file}."),
                Page::At(page) => format!("The newest code is always at {page} and {file}."),
                Page::Missing => format!("It is also {file}; {no_page}."),
            };
            format!(
                "account {account}: scan this code with QQ on the phone (+ → Scan) within two minutes. {newest} \
                 `login {account}` brings a code here again."
            )
        }
        Need::Captcha { .. } => {
            let place = match page {
                Page::Untold => format!("The picture is {file}."),
                Page::At(page) => format!("The picture is at {page} and {file}."),
                Page::Missing => format!("The picture is {file}; {no_page}."),
            };
            format!(
                "account {account}: QQ asks for a captcha. {place} Answer here with the letters that you see, \
                 or with `captcha {account} <letters>`."
            )
        }
        Need::Attention(text) => match page {
            Page::At(page) => format!("account {account}: {text}\nIts page: {page}"),
            _ => format!("account {account}: {text}"),
        },
    }
}

/// The code in half blocks, dark on light, with its quiet zone.
fn draw(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    Some(
        code.render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .build(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::operator::Needs;

    async fn prepared(folder: &Path, need: Need, page: Option<&LoginPage>) -> String {
        let (needs, main) = (Needs::new(), AccountName("main".into()));
        needs.open(&main, need);
        prepare(folder, &main, &needs.of(&main).expect("a need"), page).await
    }

    #[tokio::test]
    async fn the_code_is_saved_drawn_and_found_on_its_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let need = Need::ScanQr {
            png: Arc::from(&b"png"[..]),
            text: Some("https://txz.qq.com/p?k=1".to_owned()),
        };
        let page = LoginPage::new("127.0.0.1:9680".parse().expect("an address"));
        let text = prepared(folder.path(), need.clone(), Some(&page)).await;
        let file = folder.path().join("qr-main.png");
        assert_eq!(std::fs::read(&file).expect("the picture"), b"png");
        let mode = std::fs::metadata(&file).expect("the picture").permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        assert!(text.lines().filter(|line| line.contains('█')).count() > 10, "{text}");
        assert!(text.contains(&page.address(&AccountName("main".into()))), "{text}");
        let text = prepared(folder.path(), need, None).await;
        assert!(text.contains("[http] listen is off"), "{text}");
    }

    #[tokio::test]
    async fn a_captcha_is_a_file_too_and_says_how_to_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        let picture = Arc::from(&b"jpeg"[..]);
        let text = prepared(folder.path(), Need::Captcha { picture }, None).await;
        let file = folder.path().join("captcha-main.jpg");
        assert_eq!(std::fs::read(&file).expect("the picture"), b"jpeg");
        for part in ["captcha main <letters>", "letters that you see", "captcha-main.jpg"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[tokio::test]
    async fn what_only_the_page_may_know_is_not_in_the_words_for_a_terminal() {
        let need = Need::Attention("the account is frozen".to_owned());
        let text = words(&AccountName("main".into()), &need, "", &Page::Untold);
        assert_eq!(text, "account main: the account is frozen");
    }
}
