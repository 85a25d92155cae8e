use crate::diagnostics::SourceId;
use crate::yaml::node::Node;
pub(super) fn parse(_: &str, _: usize, _: usize, _: SourceId) -> Option<Option<Node>> { None }
