//! The QR code of a login: a file, blocks in the terminal, blocks in the admins' chats.

use std::io::IsTerminal;
use std::path::Path;

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use tokio::io::AsyncWriteExt;

use crate::model::AccountName;

/// Puts the picture beside the store, draws it in the terminal when there is one, and gives the text for the admins.
pub(super) async fn show(folder: &Path, account: &AccountName, png: &[u8], text: Option<&str>) -> String {
    let path = folder.join(format!("qr-{account}.png"));
    let saved = match write(&path, png).await {
        Ok(()) => format!("It is also the file {}.", path.display()),
        Err(error) => format!("It could not be written to {}: {error}.", path.display()),
    };
    let drawing = text.and_then(draw).unwrap_or_default();
    let message = format!(
        "account {account}: scan this code with QQ on the phone (+ → Scan) within two minutes. {saved}\n{drawing}"
    );
    if std::io::stderr().is_terminal() {
        eprintln!("{message}");
    }
    message
}

/// For the operator's eyes only: who scans it is logged in.
async fn write(path: &Path, png: &[u8]) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .await?;
    file.write_all(png).await?;
    file.flush().await
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
    use super::*;

    #[tokio::test]
    async fn the_picture_is_saved_and_drawn() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = show(
            folder.path(),
            &AccountName("main".into()),
            b"png",
            Some("https://txz.qq.com/p?k=1"),
        )
        .await;
        assert_eq!(
            std::fs::read(folder.path().join("qr-main.png")).expect("the picture"),
            b"png"
        );
        let mode = std::fs::metadata(folder.path().join("qr-main.png"))
            .expect("the picture")
            .permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        assert!(text.lines().filter(|line| line.contains('█')).count() > 10, "{text}");
    }
}
