//! What `kubectl describe httproute` says of a route's status, as far as it is the same in every cluster.

use std::collections::BTreeSet;

use anyhow::Context;

/// The status of a route with one parent.
#[derive(Debug, PartialEq)]
pub(super) struct Described {
    /// Type, status and reason of each condition.
    pub(super) conditions: BTreeSet<[String; 3]>,
    controller: String,
    /// The fields of the reference to the parent, by name.
    parent: BTreeSet<(String, String)>,
}

impl Described {
    /// Reads the section `Status` of a description.
    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let section = text.lines().skip_while(|line| *line != "Status:").skip(1);
        let section: Vec<&str> = section.take_while(|line| line.starts_with(' ')).collect();
        let value = |line: &str, name: &str| {
            let rest = line.trim().strip_prefix(name)?.strip_prefix(':')?;
            Some(rest.trim().to_owned())
        };
        let parents = section.iter().filter(|line| line.trim() == "Parent Ref:").count();
        anyhow::ensure!(parents == 1, "{parents} parents in {text}");

        let mut conditions = BTreeSet::new();
        let (mut reason, mut status) = (String::new(), String::new());
        for line in &section {
            // kubectl sorts fields by name, so that a condition ends with its type.
            if let Some(said) = value(line, "Reason") {
                reason = said;
            } else if let Some(said) = value(line, "Status") {
                status = said;
            } else if let Some(kind) = value(line, "Type") {
                conditions.insert([kind, std::mem::take(&mut status), std::mem::take(&mut reason)]);
            }
        }
        let controller = section.iter().find_map(|line| value(line, "Controller Name"));
        let parent = section.iter().skip_while(|line| line.trim() != "Parent Ref:").skip(1);
        let fields = parent.map_while(|line| {
            let field = ["Group", "Kind", "Name", "Namespace", "Port", "Section Name"];
            field.iter().find_map(|name| Some(((*name).to_owned(), value(line, name)?)))
        });
        Ok(Self {
            conditions,
            controller: controller.with_context(|| format!("no controller in {text}"))?,
            parent: fields.collect(),
        })
    }
}
