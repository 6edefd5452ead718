//! YAML text to a tree: anchors, aliases and merge keys resolved, within a budget.

use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{
    Entry, MAX_DEPTH, MAX_NODES, Mapping, Node, Position, Scalar, Style, SyntaxError, Value,
};

/// The one document of a text; null where there is none.
pub(crate) fn parse_yaml(text: &str) -> Result<Node, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let parser = Parser::new_from_str_with_options(text, options);
    Builder { parser, anchors: HashMap::new(), nodes: 0, depth: 0 }.document()
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// What each anchor stands for, and of how many nodes it is.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    depth: usize,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, SyntaxError> {
        let mut root = None;
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(syntax_error)?;
            match event {
                Event::StreamStart | Event::DocumentEnd | Event::StreamEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    let message = "a file of this kind holds one YAML document";
                    return Err(error(position(&span), message));
                }
                Event::DocumentStart(..) => {}
                event => root = Some(self.node(event, &span)?),
            }
        }
        Ok(root.unwrap_or_else(|| Node::null(Position::START)))
    }

    fn node(&mut self, event: Event<'a>, span: &Span) -> Result<Node, SyntaxError> {
        let position = position(span);
        let before = self.nodes;
        self.count(1, position)?;
        let (value, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, position),
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|tag| tag.core_suffix() == Some("str"));
                let plain = style == ScalarStyle::Plain && !is_text;
                let style = if plain { Style::Plain } else { Style::Quoted };
                (Value::Scalar(Scalar { text: text.into_owned(), style }), anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(position)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(position)?, anchor),
            _ => return Err(error(position, "something that is not a value")),
        };
        let node = Node { position, value };
        if anchor != 0 {
            self.count(self.nodes - before, position)?;
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<Node, SyntaxError> {
        let Some((_, size)) = self.anchors.get(&anchor) else {
            return Err(error(position, "an alias inside the value that it stands for"));
        };
        self.count(*size, position)?;
        let Some((node, _)) = self.anchors.get(&anchor) else {
            return Err(error(position, "an alias for nothing"));
        };
        Ok(node.clone())
    }

    fn sequence(&mut self, position: Position) -> Result<Value, SyntaxError> {
        self.enter(position)?;
        let mut nodes = Vec::new();
        loop {
            let (event, span) = self.next(position)?;
            if event == Event::SequenceEnd {
                self.depth -= 1;
                return Ok(Value::Sequence(nodes));
            }
            nodes.push(self.node(event, &span)?);
        }
    }

    fn mapping(&mut self, position: Position) -> Result<Value, SyntaxError> {
        self.enter(position)?;
        let mut entries = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next(position)?;
            if event == Event::MappingEnd {
                self.depth -= 1;
                return Ok(Value::Mapping(merge(entries, merged)));
            }
            let key = self.node(event, &span)?;
            let (event, span) = self.next(position)?;
            let mut value = self.node(event, &span)?;
            let Value::Scalar(scalar) = key.value else {
                return Err(error(key.position, "a key has to be text"));
            };
            if value.is_null() {
                value.position = key.position;
            }
            if scalar.text == "<<" && scalar.style == Style::Plain {
                merged.extend(merge_sources(value)?);
                continue;
            }
            entries.push(Entry { key: scalar.text, position: key.position, value });
        }
    }

    fn next(&mut self, position: Position) -> Result<(Event<'a>, Span), SyntaxError> {
        let event = self.parser.next_event();
        event.ok_or_else(|| error(position, "a value that does not end"))?.map_err(syntax_error)
    }

    fn enter(&mut self, position: Position) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(position, &format!("more than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, position: Position) -> Result<(), SyntaxError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(error(position, &format!("more than {MAX_NODES} values")));
        }
        Ok(())
    }
}

/// The entries of a mapping, and those of its merge keys that it does not have itself.
fn merge(entries: Vec<Entry>, merged: Vec<Entry>) -> Mapping {
    let mut mapping = Mapping::new(entries);
    if merged.is_empty() {
        return mapping;
    }
    let mut keys: std::collections::HashSet<String> =
        mapping.entries.iter().map(|entry| entry.key.clone()).collect();
    for entry in merged {
        if keys.insert(entry.key.clone()) {
            mapping.entries.push(entry);
        }
    }
    mapping
}

fn merge_sources(value: Node) -> Result<Vec<Entry>, SyntaxError> {
    match value.value {
        Value::Mapping(mapping) => Ok(mapping.entries),
        Value::Sequence(nodes) => {
            let mut entries = Vec::new();
            for node in nodes {
                let Value::Mapping(mapping) = node.value else {
                    return Err(error(node.position, "`<<` takes mappings"));
                };
                entries.extend(mapping.entries);
            }
            Ok(entries)
        }
        Value::Scalar(_) => Err(error(value.position, "`<<` takes a mapping")),
    }
}

fn syntax_error(scan_error: ScanError) -> SyntaxError {
    let marker = scan_error.marker();
    let position = Position { line: narrow(marker.line()), column: narrow(marker.col() + 1) };
    SyntaxError { position, message: scan_error.info() }
}

fn error(position: Position, message: &str) -> SyntaxError {
    SyntaxError { position, message: message.to_owned() }
}

fn position(span: &Span) -> Position {
    Position { line: narrow(span.start.line()), column: narrow(span.start.col() + 1) }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
