//! The reading end of a probe: answers go to who asked, and what comes unasked tells something of the settings.

use tokio::time::Instant;

use crate::qq::onebot::call::{Calls, Sorted};
use crate::qq::onebot::connect::{NoLink, Pair};
use crate::qq::onebot::event;
use crate::qq::onebot::socket::{Ended, Frame};

/// What came unasked meanwhile.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Messages as CQ text.
    pub(super) as_text: bool,
}

impl Heard {
    /// Reads until the link ends, and says why.
    pub(super) async fn listen(&mut self, pair: &mut Pair, calls: &Calls) -> String {
        let begun = Instant::now();
        loop {
            let frame = tokio::select! {
                frame = pair.api.frames.recv() => frame,
                frame = async {
                    match &mut pair.event {
                        Some(socket) => socket.frames.recv().await,
                        None => std::future::pending().await,
                    }
                } => frame,
            };
            match frame {
                Some(Frame::Json(value)) => match calls.sort(value) {
                    Sorted::Answer => {}
                    Sorted::BadToken => return NoLink::Token.to_string(),
                    Sorted::Event(frame) => {
                        let message = matches!(event::read(&frame), event::Event::Heard(_));
                        self.as_text |= message && frame["message"].is_string();
                    }
                },
                Some(Frame::Ended(Ended::Policy)) => return NoLink::Token.to_string(),
                Some(Frame::Ended(ended)) => return format!("{ended} after {} s", begun.elapsed().as_secs()),
                None => return Ended::Closed.to_string(),
            }
        }
    }
}
