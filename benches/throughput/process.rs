//! What a process has used, by `/proc`.

use anyhow::Context as _;

/// CPU time so far, in seconds. The kernel counts a hundredth of a second at a time.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("a process has a name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}

/// Resident memory now, in MB (10^6 bytes).
pub(crate) fn resident(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = size
        .context("a process has resident memory")?
        .trim()
        .trim_end_matches("kB");
    Ok(kib.trim_end().parse::<f64>()? * 1024.0 / 1e6)
}
