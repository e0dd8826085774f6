//! The command line.

use std::path::PathBuf;

use lab::Kind;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// The disk, the store, rendering and reading alone.
    Alone,
    /// QQ → XMPP, messages a second.
    Down,
    /// XMPP → QQ, messages a second.
    Up,
    /// One message at a time.
    Latency,
    /// What a burden in one place does to others, and to memory.
    Pressure,
    /// Memory of rooms and members, entering a large room.
    Size,
}

/// Measures the gateway beside a raw component.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "throughput")]
pub(crate) struct Options {
    /// `prosody`, `ejabberd` or `both`.
    #[arg(long, default_value = "both")]
    server: String,
    /// What to measure; all without it.
    #[arg(long, value_delimiter = ',')]
    parts: Vec<Part>,
    /// How many clients are in the room, one measurement for each.
    #[arg(long, value_delimiter = ',', default_value = "1,20,300")]
    pub(crate) clients: Vec<usize>,
    /// Runs of raw component and gateway, whose median counts.
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Stanzas that arrive at clients in one run, about; 0 chooses by the server.
    #[arg(long, default_value_t = 0)]
    stanzas: usize,
    /// Messages sent one at a time.
    #[arg(long, default_value_t = 300)]
    pub(crate) latencies: u64,
    /// Messages said while the QQ account is off line.
    #[arg(long, default_value_t = 200_000)]
    pub(crate) outage: u64,
    /// Writes the figures there.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// Draws the ratios there, as SVG.
    #[arg(long)]
    pub(crate) chart: Option<PathBuf>,
    /// `cargo bench` adds it.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// The servers.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let all = [Kind::Prosody, Kind::Ejabberd];
        let wanted = |kind: &Kind| self.server == "both" || self.server == kind.name();
        all.into_iter().filter(wanted).collect()
    }

    /// Whether a part is measured.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    /// Messages of one run.
    pub(crate) fn messages(&self, kind: Kind, clients: usize) -> u64 {
        let stanzas = match (self.stanzas, kind) {
            (0, Kind::Prosody) => 24_000,
            (0, Kind::Ejabberd) => 48_000,
            (stanzas, _) => stanzas,
        };
        (stanzas / clients) as u64
    }
}
