//! The command line.

use lab::Kind;

/// Measures the gateway beside a raw component.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "throughput")]
pub(crate) struct Options {
    /// `prosody`, `ejabberd` or `both`.
    #[arg(long, default_value = "both")]
    server: String,
    /// How many clients are in the room, one measurement for each.
    #[arg(long, value_delimiter = ',', default_value = "1,20,300")]
    pub(crate) clients: Vec<usize>,
    /// Pairs of runs, whose median counts.
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Stanzas that arrive at clients in one run, about; 0 chooses by the server.
    #[arg(long, default_value_t = 0)]
    stanzas: usize,
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

    /// Messages of one run.
    pub(crate) fn messages(&self, kind: Kind, clients: usize) -> u64 {
        let stanzas = match (self.stanzas, kind) {
            (0, Kind::Prosody) => 15_000,
            (0, Kind::Ejabberd) => 40_000,
            (stanzas, _) => stanzas,
        };
        (stanzas / clients).max(128).try_into().unwrap_or(u64::MAX)
    }
}
