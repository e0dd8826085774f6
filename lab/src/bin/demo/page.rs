//! The page on which a browser is alice in the room: one HTML file and the files of Converse.js as npm installed them.
//!
//! A small static server on the loopback, a task that ends with the program. Knows nothing of XMPP: the values come from outside.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

const PAGE: &str = include_str!("../../../demo/index.html");
/// What the page loads first; when it is there, the rest is.
const SCRIPT: &str = "converse.min.js";

/// Serves the page on a free port, with each `@NAME@` of it replaced. Nothing when Converse.js is not there.
pub(crate) async fn serve(converse: Option<&Path>, values: &[(&str, String)]) -> anyhow::Result<Option<SocketAddr>> {
    let Some(dist) = converse.filter(|dist| dist.join(SCRIPT).is_file()) else {
        return Ok(None);
    };
    let page = values
        .iter()
        .fold(PAGE.to_owned(), |page, (name, value)| page.replace(name, value));
    let router = Router::new()
        .route("/", get(|| async { Html(page) }))
        .route("/converse/{*file}", get(file))
        .with_state(dist.to_owned());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("no port for the page of Converse.js")?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Some(address))
}

async fn file(State(dist): State<PathBuf>, UrlPath(name): UrlPath<String>) -> Response {
    let name = Path::new(&name);
    // Only names inside the folder.
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match tokio::fs::read(dist.join(name)).await {
        Ok(content) => ([(header::CONTENT_TYPE, content_type(name))], content).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Browsers refuse modules and style sheets of another type.
fn content_type(name: &Path) -> &'static str {
    match name.extension().and_then(|ending| ending.to_str()) {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_page_and_its_files_are_served_and_nothing_else() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let dist = folder.path().join("dist");
        std::fs::create_dir_all(dist.join("images"))?;
        std::fs::write(folder.path().join("secret"), "no")?;
        std::fs::write(dist.join("images/logo.svg"), "<svg/>")?;
        let values = [("@ROOM@", "cats@qq.localhost".to_owned())];
        assert_eq!(serve(Some(&dist), &values).await?, None, "there is no script yet");

        std::fs::write(dist.join(SCRIPT), "export {}")?;
        let address = serve(Some(&dist), &values).await?.context("the script is there")?;
        let http = lab::http::client(Duration::from_secs(10))?;
        let get = |path: &str| http.get(format!("http://{address}/{path}")).send();
        let page = get("").await?.text().await?;
        assert!(page.contains("cats@qq.localhost") && !page.contains("@ROOM@"), "{page}");
        let logo = get("converse/images/logo.svg").await?;
        assert_eq!(logo.headers()[header::CONTENT_TYPE], "image/svg+xml");
        assert_eq!(logo.text().await?, "<svg/>");
        for other in [
            "converse/..%2fsecret",
            "converse/%2fetc%2fpasswd",
            "converse/none.js",
            "secret",
        ] {
            assert_eq!(get(other).await?.status(), StatusCode::NOT_FOUND, "{other}");
        }
        Ok(())
    }
}
