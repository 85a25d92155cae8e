//! What a command did or found in a cluster, for people and for programs.

use super::args::{ListFormat, ResultFormat};
use super::listing::{described, encoded};
use super::waves::object_json;
use kfc_diagnostics::Result;
use kfc_kube::ObjectId;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What goes to standard output.
pub(super) enum Printed {
    Text(String),
    /// A document, and whether it is JSON or YAML.
    Document(Value, ListFormat),
}

impl From<String> for Printed {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Printed {
    /// The text. What was printed for one cluster of several has its name: text a line above it, a document a field.
    ///
    /// # Errors
    /// A value that YAML cannot have.
    pub(super) fn rendered(self, cluster: Option<&str>) -> Result<String> {
        match (self, cluster) {
            (Self::Text(text), Some(cluster)) if !text.is_empty() => {
                Ok(format!("cluster {cluster}:\n{text}"))
            }
            (Self::Text(text), _) => Ok(text),
            (Self::Document(value, format), None) => encoded(&value, format),
            (Self::Document(mut value, format), Some(cluster)) => {
                value["cluster"] = cluster.into();
                let separator = if format == ListFormat::Yaml { "---\n" } else { "" };
                Ok(separator.to_owned() + &encoded(&value, format)?)
            }
        }
    }
}

/// What was done, or would be, one object after the other.
#[derive(Default)]
pub(super) struct Results(Vec<(String, ObjectId)>);

impl Results {
    pub(super) fn push(&mut self, action: impl Into<String>, object: &ObjectId) {
        self.0.push((action.into(), object.clone()));
    }

    /// The same was done with all of these.
    pub(super) fn all<'o>(mut self, action: &str, objects: impl IntoIterator<Item = &'o ObjectId>) -> Self {
        objects.into_iter().for_each(|object| self.push(action, object));
        self
    }

    /// One object in a line, or a document with all of them.
    pub(super) fn printed(&self, format: ResultFormat) -> Printed {
        if format == ResultFormat::Text {
            return Printed::Text(self.0.iter().fold(String::new(), |mut text, (action, object)| {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "{action} {object}");
                text
            }));
        }
        let one = |(action, object): &(String, ObjectId)| {
            let mut json = object_json(object);
            json["action"] = action.as_str().into();
            json
        };
        let objects: Vec<Value> = self.0.iter().map(one).collect();
        Printed::Document(described("Result", json!({"objects": objects})), ListFormat::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::{Printed, Results};
    use crate::cli::args::ResultFormat;

    fn rendered(format: ResultFormat, cluster: Option<&str>) -> String {
        let object = "ConfigMap shop/web".parse().unwrap();
        Results::default().all("created", [&object]).printed(format).rendered(cluster).unwrap()
    }

    #[test]
    fn each_cluster_of_several_has_its_name() {
        assert_eq!(rendered(ResultFormat::Text, None), "created ConfigMap shop/web\n");
        assert_eq!(rendered(ResultFormat::Text, Some("a")), "cluster a:\ncreated ConfigMap shop/web\n");
        assert_eq!(Printed::from(String::new()).rendered(Some("a")).unwrap(), "");
        let json: serde_json::Value = serde_json::from_str(&rendered(ResultFormat::Json, Some("a"))).unwrap();
        assert_eq!(json["cluster"], "a");
        assert_eq!(json["objects"][0]["action"], "created");
        assert_eq!(json["objects"][0]["name"], "web");
    }
}
