//! The notation of schemas: what can be read is rendered as the emitter would write it, and reads back the same when it is
//! written again.
#![no_main]

use kfc_diagnostics::SourceId;
use kfc_kube::notation::{Notation, write};
use kfc_yaml::emit::emit_at;
use kfc_yaml::{Map, Node};
use libfuzzer_sys::fuzz_target;

fn schema(notation: &Notation, name: &str) -> Option<Map> {
    notation.render(name, 0, None).ok().flatten().map(Map::deferred)
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(notation) = Notation::parse(text, SourceId(0)) else { return };
    for name in notation.names() {
        let Some(map) = schema(&notation, name) else { continue };
        let own: Map = map.as_slice().iter().cloned().collect();
        let mut emitted = Vec::new();
        emit_at(&own, 0, &mut emitted).unwrap();
        assert_eq!(Some(emitted.as_slice()), map.as_deferred().map(|form| form.text()));
        let node = Node::map(own.clone(), None);
        if let Ok(written) = write([("A.v1".to_owned(), &node)]) {
            let read = Notation::parse(&written, SourceId(0)).unwrap();
            assert_eq!(schema(&read, "A.v1"), Some(own));
        }
    }
});
