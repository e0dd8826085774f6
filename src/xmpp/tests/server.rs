//! Starts the XMPP servers that are installed, each in a directory of its own, and logs in as a plain client.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::PATIENCE;

/// A server with the account `alice` (password `alice`) at `localhost` and the component `qq.localhost` (secret `secret`).
pub(super) struct Server {
    child: Child,
    _dir: TempDir,
    pub(super) clients: u16,
    pub(super) components: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A child that dies with us.
fn bound(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Prosody, or nothing when it is not installed.
pub(super) async fn prosody() -> Option<Server> {
    if !Path::new("/usr/bin/prosody").exists() {
        eprintln!("skipped: prosody is not installed");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let (clients, components) = (free_port(), free_port());
    let accounts = dir.path().join("data/localhost/accounts");
    fs::create_dir_all(&accounts).unwrap();
    fs::write(accounts.join("alice.dat"), "return { [\"password\"] = \"alice\" };").unwrap();
    let config = format!(
        r#"run_as_root = true
data_path = "{dir}/data"; pidfile = "{dir}/pid"; log = {{ warn = "{dir}/log" }}
interfaces = {{ "127.0.0.1" }}; component_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {clients} }}; component_ports = {{ {components} }}
c2s_require_encryption = false; allow_unencrypted_plain_auth = true; authentication = "internal_plain"
modules_disabled = {{ "s2s" }}; modules_enabled = {{ "roster", "saslauth", "disco", "presence", "message", "iq", "ping" }}
VirtualHost "localhost"
Component "qq.localhost"
  component_secret = "secret"; component_conflict_resolve = "kick_old"
"#,
        dir = dir.path().display()
    );
    let path = dir.path().join("prosody.cfg.lua");
    fs::write(&path, config).unwrap();
    let child = bound("prosody").arg("-F").arg("--config").arg(&path).spawn().unwrap();
    ready(child, dir, clients, components).await
}

/// ejabberd, or nothing when it is not installed.
pub(super) async fn ejabberd() -> Option<Server> {
    let ebin = fs::read_dir("/usr/lib").ok()?.flatten().find_map(|arch| {
        let mut found = fs::read_dir(arch.path())
            .ok()?
            .flatten()
            .map(|entry| entry.path().join("ebin"));
        found.find(|path| path.to_string_lossy().contains("/ejabberd-") && path.exists())
    });
    let Some(ebin) = ebin else {
        eprintln!("skipped: ejabberd is not installed");
        return None;
    };
    let dir = tempfile::tempdir().unwrap();
    let (clients, components) = (free_port(), free_port());
    let config = format!(
        r#"hosts: [localhost]
loglevel: warning
auth_method: [anonymous]
allow_multiple_connections: true
anonymous_protocol: login_anon
listen:
  - {{ port: {clients}, ip: "127.0.0.1", module: ejabberd_c2s, access: all, shaper: none, max_stanza_size: 1048576 }}
  - {{ port: {components}, ip: "127.0.0.1", module: ejabberd_service, access: all, shaper: none, hosts: {{ "qq.localhost": {{ password: "secret" }} }} }}
modules: {{ mod_disco: {{}} }}
"#
    );
    let path = dir.path().join("ejabberd.yml");
    fs::write(&path, config).unwrap();
    let text = |file: &str| format!("\"{}\"", dir.path().join(file).display());
    let child = bound("erl")
        .env("HOME", dir.path())
        .args(["-noinput", "-pa"])
        .arg(&ebin)
        .args([
            "-mnesia",
            "dir",
            &text("db"),
            "-ejabberd",
            "config",
            &text("ejabberd.yml"),
            "log_path",
            &text("log"),
        ])
        .args(["-s", "ejabberd"])
        .spawn()
        .unwrap();
    ready(child, dir, clients, components).await
}

async fn ready(child: Child, dir: TempDir, clients: u16, components: u16) -> Option<Server> {
    let server = Server {
        child,
        _dir: dir,
        clients,
        components,
    };
    let limit = Instant::now() + Duration::from_secs(60);
    for port in [clients, components] {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < limit, "the server does not start");
            sleep(Duration::from_millis(50)).await;
        }
    }
    Some(server)
}

/// A client without an XML library: it can write whatever the server lets pass.
pub(super) struct Client {
    socket: TcpStream,
    buffer: String,
}

impl Client {
    pub(super) async fn login(server: &Server, resource: &str) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", server.clients)).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let buffer = String::new();
        let mut client = Self { socket, buffer };
        let header = "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams'>";
        client.say(header).await;
        client.read_to("</stream:features>").await;
        let secret = STANDARD.encode("\0alice\0alice");
        client
            .say(&format!(
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>"
            ))
            .await;
        client.read_to("<success").await;
        client.say(header).await;
        client.read_to("</stream:features>").await;
        client
            .say(&format!(
                "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>"
            ))
            .await;
        client.read_to("</iq>").await;
        client.say("<presence/>").await;
        client
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.unwrap();
    }

    /// Everything up to and with `end`.
    pub(super) async fn read_to(&mut self, end: &str) -> String {
        let mut chunk = vec![0; 16 << 10];
        loop {
            if let Some(at) = self.buffer.find(end) {
                let rest = self.buffer.split_off(at + end.len());
                return std::mem::replace(&mut self.buffer, rest);
            }
            let n = timeout(PATIENCE, self.socket.read(&mut chunk)).await;
            let n = n
                .unwrap_or_else(|_| panic!("{end} does not come, but {}", self.buffer))
                .unwrap();
            assert!(n > 0, "the end, before {end}, after {}", self.buffer);
            self.buffer.push_str(&String::from_utf8_lossy(&chunk[..n]));
        }
    }
}
