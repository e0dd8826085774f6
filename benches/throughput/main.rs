//! How fast the gateway is, beside the most that the server can do.
//!
//! `make bench`, or `cargo bench --workspace --bench throughput -- --help`. Everything is measured in one run against one server, in
//! turns: a raw component that writes the gateway's own stanzas, and the gateway. What counts are ratios and medians; how each
//! figure comes about is told in `docs/performance.md`.

mod options;
mod process;
mod rate;
mod stage;
mod template;

use clap::Parser as _;

use options::Options;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    for kind in options.kinds() {
        if !lab::available(kind.name()) {
            continue;
        }
        rate::measure(kind, &options).await?;
    }
    Ok(())
}
