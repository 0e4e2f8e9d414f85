//! The texts of a live connection. Frames go as bytes (`coronaz_wire::page_frame`).

use serde::{Deserialize, Serialize};

use super::window::Window;
use crate::rest;

/// What a visitor says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum FromVisitor {
    /// The frame with this number, and all before it, are drawn.
    Ack { seq: u32 },
    /// Send this moment; push no more.
    Seek { moment: u64, request: u32 },
    /// Push what is new, from now on.
    Live,
    /// Send only what is to be seen in this window, from now on; without one, everybody again.
    View { window: Option<Window> },
}

/// What the server says besides frames.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum ToVisitor<'a> {
    /// The first message: the run that is watched.
    Hello { run: &'a rest::Run },
    /// A newer run has begun.
    RunsChanged,
    /// The moment asked for is not there.
    Missing { request: u32 },
}

impl ToVisitor<'_> {
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("plain members can be written as JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_the_promised_ones() {
        let read = |text| serde_json::from_str::<FromVisitor>(text).ok();
        assert_eq!(read(r#"{"type":"ack","seq":3}"#), Some(FromVisitor::Ack { seq: 3 }));
        let seek = FromVisitor::Seek { moment: 7, request: 2 };
        assert_eq!(read(r#"{"type":"seek","moment":7,"request":2}"#), Some(seek));
        assert_eq!(read(r#"{"type":"live"}"#), Some(FromVisitor::Live));
        let view = r#"{"type":"view","window":{"area":[0,1,2,3],"levels":[8,7],"people":9,"keep":[4]}}"#;
        let window = Window { area: [0, 1, 2, 3], levels: [8, 7], people: 9, keep: vec![4] };
        assert_eq!(read(view), Some(FromVisitor::View { window: Some(window) }));
        assert_eq!(read(r#"{"type":"view"}"#), Some(FromVisitor::View { window: None }));
        for text in
            ["", "[]", r#"{"type":"stop"}"#, r#"{"type":"ack","seq":-1}"#, r#"{"type":"seek","moment":1}"#]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(ToVisitor::RunsChanged.text(), r#"{"type":"runs-changed"}"#);
        assert_eq!(ToVisitor::Missing { request: 2 }.text(), r#"{"type":"missing","request":2}"#);
    }
}
