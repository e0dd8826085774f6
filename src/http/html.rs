//! The login page as text. Plain HTML without scripts; whatever is put in is escaped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = "body{font-family:sans-serif;max-width:32em;margin:2em auto;padding:0 1em}\
img{display:block;min-width:16em;margin:1em 0;padding:1em;background:#fff;image-rendering:pixelated}\
.note{padding:.5em 1em;background:#ffc;color:#000}input,button{font-size:1.2em}";

/// Seconds until the page looks again. Somebody who types the captcha wants to finish before that.
const REFRESH: u32 = 5;
const REFRESH_CAPTCHA: u32 = 60;

/// What the page shows.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) account: &'a str,
    pub(super) state: &'a str,
    pub(super) key: &'a str,
    /// What came of what was sent.
    pub(super) note: Option<&'a str>,
    pub(super) ask: Ask,
}

/// What a person is asked for; with the number of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    Nothing,
    Scan(u64),
    Captcha(u64),
}

/// The page's Content-Security-Policy: our own pictures, forms and one style, and nothing else.
pub(super) fn policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; img-src 'self'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'"
    )
}

/// The whole page.
pub(super) fn page(view: &View<'_>) -> String {
    let (account, key) = (escape(view.account), escape(view.key));
    let here = format!("/login/{account}?key={key}");
    let refresh = match view.ask {
        Ask::Captcha(_) => REFRESH_CAPTCHA,
        Ask::Nothing | Ask::Scan(_) => REFRESH,
    };
    let mut body = String::new();
    if let Some(note) = view.note {
        body += &["<p class=\"note\">", &escape(note), "</p>\n"].concat();
    }
    let picture =
        |serial| format!("<img src=\"/login/{account}/picture?key={key}&amp;n={serial}\" alt=\"what QQ shows\">\n");
    match view.ask {
        Ask::Nothing => {}
        Ask::Scan(serial) => {
            body += "<p>Scan this code with QQ on the phone (+ → Scan) within two minutes; the page shows the next one by \
                     itself.<br><span lang=\"zh\">请在两分钟内用手机 QQ 扫描二维码。</span></p>\n";
            body += &picture(serial);
        }
        Ask::Captcha(serial) => {
            body += "<p>Type the letters that you see.<br><span lang=\"zh\">请输入验证码。</span></p>\n";
            body += &picture(serial);
            let form = format!(
                "<form method=\"post\" action=\"{here}\"><input type=\"hidden\" name=\"serial\" value=\"{serial}\">\
                 <input name=\"answer\" maxlength=\"32\" autocomplete=\"off\" autofocus required> \
                 <button>answer</button></form>\n"
            );
            body += &form;
        }
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"refresh\" content=\"{refresh};url={here}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>QQ account {account}</title>\n<style>{STYLE}</style></head>\n<body>\n\
         <h1>QQ account {account}</h1>\n<p>{state}</p>\n{body}\
         <form method=\"post\" action=\"{here}\"><button>{again}</button></form>\n</body></html>\n",
        state = escape(view.state),
        again = match view.ask {
            Ask::Scan(_) => "new code",
            Ask::Captcha(_) => "another picture",
            Ask::Nothing => "log in now",
        },
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_stays_text_and_nothing_runs() {
        let hostile = "</p><script>alert('x')</script>\"&";
        let view = View {
            account: "main",
            state: hostile,
            key: "k\"><b>",
            note: Some(hostile),
            ask: Ask::Captcha(7),
        };
        let page = page(&view);
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
        assert_eq!(page.matches("&lt;/p&gt;&lt;script&gt;alert(&#39;x&#39;)").count(), 2);
        assert!(page.contains("name=\"serial\" value=\"7\""), "{page}");
    }
}
