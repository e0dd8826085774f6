//! Load for measurements, made so cheaply that it is not what limits: a component that writes bytes as they are, and clients that
//! count what arrives. No XML library is near the measured traffic.

mod component;
mod crowd;
mod tally;
mod tap;

pub use component::{RawComponent, log_in_component};
pub use crowd::Crowd;
pub use tally::{Marks, Tally};
pub use tap::Tap;
