//! Free TCP ports on the loopback, each given out once per process.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::bail;

/// Below the kernel's ephemeral range (32768 and up on Linux): a port that the kernel picked could become the source port of
/// somebody's outgoing connection while the server is down, and the server could not come back on it.
const FIRST: u16 = 12_000;
const LAST: u16 = 32_000;

static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// `N` different ports that nobody listens on now.
pub fn free<const N: usize>() -> anyhow::Result<[u16; N]> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ports = [0; N];
    // Another test process looks for ports at the same moment; a random place to begin keeps the two apart.
    let mut candidate = random_port();
    let mut filled = 0;
    for _ in FIRST..LAST {
        if filled == N {
            return Ok(ports);
        }
        if !given.contains(&candidate) && TcpListener::bind((Ipv4Addr::LOCALHOST, candidate)).is_ok() {
            given.insert(candidate);
            ports[filled] = candidate;
            filled += 1;
        }
        candidate = if candidate + 1 == LAST { FIRST } else { candidate + 1 };
    }
    bail!("no free port between {FIRST} and {LAST} on the loopback")
}

fn random_port() -> u16 {
    let span = u64::from(LAST - FIRST);
    let offset = RandomState::new().build_hasher().finish() % span;
    FIRST + u16::try_from(offset).expect("the span of the range fits u16")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_given_out_once() {
        let mut all = HashSet::new();
        for _ in 0..20 {
            let ports: [u16; 3] = free().expect("some ports are free");
            assert!(
                ports
                    .iter()
                    .all(|&port| (FIRST..LAST).contains(&port) && all.insert(port))
            );
        }
    }
}
