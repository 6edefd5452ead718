//! Catalogs for tests, made the way the gateway makes them: from a target's answers.

use std::sync::Arc;

use bytes::Bytes;
use mcp::{InitializeResult, Item, ListKind, Message, Page, TargetName};

use crate::catalog::Catalog;

pub(crate) const ALL_CAPABILITIES: &str =
    r#"{"tools":{"listChanged":true},"prompts":{},"resources":{}}"#;

/// A target's items of each list as raw JSON, in the order of [`ListKind::ALL`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) tools: Vec<String>,
    pub(crate) prompts: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) templates: Vec<String>,
}

impl Offer {
    pub(crate) fn tools(names: &[&str]) -> Self {
        Self { tools: names.iter().map(|name| tool(name)).collect(), ..Self::default() }
    }

    pub(crate) fn uris(resources: &[&str], templates: &[&str]) -> Self {
        let resource = |uri: &&str| format!(r#"{{"uri":"{uri}","name":"r"}}"#);
        let template = |text: &&str| format!(r#"{{"uriTemplate":"{text}","name":"t"}}"#);
        Self {
            resources: resources.iter().map(resource).collect(),
            templates: templates.iter().map(template).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.catalog_of(hello(ALL_CAPABILITIES, ""))
    }

    pub(crate) fn catalog_of(&self, hello: InitializeResult) -> Arc<Catalog> {
        let lists = [&self.tools, &self.prompts, &self.resources, &self.templates];
        let mut kinds = ListKind::ALL.into_iter();
        let lists = lists.map(|raw| items(kinds.next().unwrap(), raw));
        Arc::new(Catalog::new(hello, lists, Vec::new(), Vec::new()))
    }
}

pub(crate) fn tool(name: &str) -> String {
    format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#)
}

pub(crate) fn app_tool(name: &str) -> String {
    format!(
        r#"{{"name":"{name}","inputSchema":{{}},"_meta":{{"ui":{{"resourceUri":"ui://v","visibility":["app"]}}}}}}"#
    )
}

/// An `initialize` result; `more` are further members with a comma before them.
pub(crate) fn hello(capabilities: &str, more: &str) -> InitializeResult {
    let response = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"protocolVersion":"2025-06-18","capabilities":{capabilities},"serverInfo":{{"name":"s","version":"1"}}{more}}}}}"#
    );
    InitializeResult::parse(&Message::parse(Bytes::from(response)).unwrap()).unwrap()
}

pub(crate) fn name(text: &str) -> TargetName {
    TargetName::new(text).unwrap()
}

fn items(kind: ListKind, raw: &[String]) -> Vec<Item> {
    let response = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"{}":[{}]}}}}"#,
        kind.field(),
        raw.join(",")
    );
    Page::parse(&Message::parse(Bytes::from(response)).unwrap(), kind).unwrap().items
}
