//! JSON text to a tree, as editors write it: with `//` and `/* */` comments and trailing commas.

use super::{
    Entry, MAX_DEPTH, MAX_NODES, Mapping, Node, Position, Scalar, Style, SyntaxError, Value,
};

/// How many values a controller may publish in one document: those of a hundred thousand routes.
const MAX_PUBLISHED: usize = 5_000_000;

/// The value of a text that a person may have written; null where there is none.
pub(crate) fn parse_json(text: &str) -> Result<Node, SyntaxError> {
    parse(text, MAX_NODES)
}

/// The value of a text that a controller publishes, which may be much longer.
pub(crate) fn parse_published(text: &str) -> Result<Node, SyntaxError> {
    parse(text, MAX_PUBLISHED)
}

fn parse(text: &str, most: usize) -> Result<Node, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser { rest: text, position: Position::START, nodes: 0, most, depth: 0 };
    parser.skip_space()?;
    if parser.rest.is_empty() {
        return Ok(Node::null(Position::START));
    }
    let node = parser.value()?;
    parser.skip_space()?;
    match parser.peek() {
        None => Ok(node),
        Some(found) => Err(parser.error(format!("`{found}` after the end"))),
    }
}

struct Parser<'a> {
    rest: &'a str,
    position: Position,
    nodes: usize,
    most: usize,
    depth: usize,
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Node, SyntaxError> {
        self.nodes += 1;
        if self.nodes > self.most {
            return Err(self.error(format!("more than {} values", self.most)));
        }
        let position = self.position;
        let value = match self.peek() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::array)?,
            Some('"') => Value::Scalar(Scalar { text: self.string()?, style: Style::Quoted }),
            _ => Value::Scalar(Scalar { text: self.word()?, style: Style::Plain }),
        };
        Ok(Node { position, value })
    }

    fn nested(
        &mut self,
        inner: fn(&mut Self) -> Result<Value, SyntaxError>,
    ) -> Result<Value, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("more than {MAX_DEPTH} levels")));
        }
        self.advance();
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, SyntaxError> {
        let mut entries = Vec::new();
        loop {
            self.skip_space()?;
            match self.peek() {
                Some('}') => {
                    self.advance();
                    return Ok(Value::Mapping(Mapping::new(entries)));
                }
                Some('"') => {}
                _ => return Err(self.unexpected("a key in double quotes or `}`")),
            }
            let position = self.position;
            let key = self.string()?;
            self.skip_space()?;
            if self.peek() != Some(':') {
                return Err(self.unexpected("`:`"));
            }
            self.advance();
            self.skip_space()?;
            let value = self.value()?;
            entries.push(Entry { key, position, value });
            self.separator('}')?;
        }
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        let mut nodes = Vec::new();
        loop {
            self.skip_space()?;
            if self.peek() == Some(']') {
                self.advance();
                return Ok(Value::Sequence(nodes));
            }
            nodes.push(self.value()?);
            self.separator(']')?;
        }
    }

    /// A comma, or the end that is left for the caller.
    fn separator(&mut self, end: char) -> Result<(), SyntaxError> {
        self.skip_space()?;
        match self.peek() {
            Some(',') => {
                self.advance();
                Ok(())
            }
            Some(found) if found == end => Ok(()),
            _ => Err(self.unexpected(&format!("`,` or `{end}`"))),
        }
    }

    fn word(&mut self) -> Result<String, SyntaxError> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let word = self.rest.get(..end).unwrap_or_default().to_owned();
        let is_number = serde_json::from_str::<serde_json::Number>(&word).is_ok();
        if !is_number && !matches!(word.as_str(), "true" | "false" | "null") {
            return Err(self.unexpected("a value"));
        }
        for _ in word.chars() {
            self.advance();
        }
        Ok(word)
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let start = self.position;
        let text = self.rest;
        let mut length = 1;
        self.advance();
        loop {
            let Some(next) = self.advance() else {
                let message = "a string that does not end".to_owned();
                return Err(SyntaxError { position: start, message });
            };
            length += next.len_utf8();
            match next {
                '"' => break,
                '\\' => length += self.advance().map_or(0, char::len_utf8),
                _ => {}
            }
        }
        let literal = text.get(..length).unwrap_or_default();
        serde_json::from_str(literal)
            .map_err(|_| SyntaxError { position: start, message: "not a JSON string".to_owned() })
    }

    fn skip_space(&mut self) -> Result<(), SyntaxError> {
        loop {
            if self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
                self.advance();
            } else if self.rest.starts_with("//") {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.advance();
                }
            } else if self.rest.starts_with("/*") {
                self.block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn block_comment(&mut self) -> Result<(), SyntaxError> {
        let start = self.position;
        self.advance();
        self.advance();
        while !self.rest.starts_with("*/") {
            if self.advance().is_none() {
                let message = "a comment that does not end".to_owned();
                return Err(SyntaxError { position: start, message });
            }
        }
        self.advance();
        self.advance();
        Ok(())
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        if next == '\n' {
            self.position.line = self.position.line.saturating_add(1);
            self.position.column = 1;
        } else {
            self.position.column = self.position.column.saturating_add(1);
        }
        Some(next)
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        match self.peek() {
            Some(found) => self.error(format!("expected {expected}, found `{found}`")),
            None => self.error(format!("expected {expected}, found the end")),
        }
    }

    fn error(&self, message: String) -> SyntaxError {
        SyntaxError { position: self.position, message }
    }
}

#[cfg(test)]
mod tests;
