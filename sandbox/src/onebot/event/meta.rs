//! Meta events: the program is there, the program is still there.

use serde_json::{Value, json};

use super::super::dialect::Errors;
use super::super::view::View;

fn meta(view: &View<'_>, kind: &str) -> Value {
    json!({
        "time": view.state.clock.now(), "self_id": view.qq(), "post_type": "meta_event", "meta_event_type": kind,
    })
}

/// The first frame of a connection with events.
pub(crate) fn lifecycle(view: &View<'_>) -> Value {
    let mut event = meta(view, "lifecycle");
    event["sub_type"] = json!("connect");
    if view.dialect.errors == Errors::Gocq {
        event["_post_method"] = json!(2);
    }
    event
}

/// A heartbeat. `online`: what the program believes.
pub(crate) fn heartbeat(view: &View<'_>, interval: u64, online: bool) -> Value {
    let mut event = meta(view, "heartbeat");
    event["interval"] = json!(interval);
    event["status"] = json!({"online": online, "good": true});
    if view.dialect.errors == Errors::Gocq {
        let status = &mut event["status"];
        for name in ["app_enabled", "app_good", "app_initialized"] {
            status[name] = json!(true);
        }
        status["plugins_good"] = Value::Null;
    }
    event
}
