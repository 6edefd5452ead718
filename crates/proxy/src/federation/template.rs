//! URI templates (RFC 6570), as far as needed to say whether a URI may have come from one.

/// Longer URIs match no template: matching costs their length times the pieces of the template.
const MAX_URI_LENGTH: usize = 8 * 1024;

/// A URI template without the names of its variables: two templates that expand to the same URIs
/// by other names are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct UriTemplate {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Piece {
    Literal(Box<[u8]>),
    Expression(Expression),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Expression {
    operator: Operator,
    values: Values,
}

/// The operators of RFC 6570 §2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operator {
    Simple,
    Reserved,
    Fragment,
    Label,
    PathSegment,
    PathParameter,
    Query,
    QueryContinuation,
}

/// Whether an expression stands for one value, or for several or an exploded one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Values {
    One,
    Several,
}

impl UriTemplate {
    /// A template; `None` if its braces do not pair or an expression is empty.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, tail) = rest.split_once('{').unwrap_or((rest, ""));
            if literal.contains('}') {
                return None;
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.as_bytes().into()));
            }
            if literal.len() == rest.len() {
                break;
            }
            let (expression, tail) = tail.split_once('}')?;
            pieces.push(Piece::Expression(Expression::parse(expression)?));
            rest = tail;
        }
        Some(Self { pieces })
    }

    /// Whether a URI may be an expansion of the template. Percent-encoding is taken as written.
    pub(crate) fn matches(&self, uri: &str) -> bool {
        let uri = uri.as_bytes();
        if uri.len() > MAX_URI_LENGTH || !self.may_start(uri) {
            return false;
        }
        // Places up to which the pieces so far can have come.
        let mut places = vec![false; uri.len() + 1];
        if let Some(start) = places.first_mut() {
            *start = true;
        }
        for piece in &self.pieces {
            places = match piece {
                Piece::Literal(literal) => after_literal(&places, uri, literal),
                Piece::Expression(expression) => expression.after(&places, uri),
            };
        }
        places.last().copied().unwrap_or(false)
    }

    fn may_start(&self, uri: &[u8]) -> bool {
        match self.pieces.first() {
            Some(Piece::Literal(literal)) => uri.starts_with(literal),
            Some(Piece::Expression(_)) | None => true,
        }
    }
}

fn after_literal(places: &[bool], uri: &[u8], literal: &[u8]) -> Vec<bool> {
    let mut next = vec![false; places.len()];
    for (place, reached) in places.iter().enumerate() {
        if *reached
            && uri.get(place..).is_some_and(|rest| rest.starts_with(literal))
            && let Some(after) = next.get_mut(place + literal.len())
        {
            *after = true;
        }
    }
    next
}

impl Expression {
    fn parse(text: &str) -> Option<Self> {
        let operator = match text.bytes().next()? {
            b'+' => Operator::Reserved,
            b'#' => Operator::Fragment,
            b'.' => Operator::Label,
            b'/' => Operator::PathSegment,
            b';' => Operator::PathParameter,
            b'?' => Operator::Query,
            b'&' => Operator::QueryContinuation,
            _ => Operator::Simple,
        };
        let variables = match operator {
            Operator::Simple => text,
            _ => text.get(1..)?,
        };
        if variables.is_empty() {
            return None;
        }
        let several = variables.contains(',') || variables.ends_with('*');
        Some(Self { operator, values: if several { Values::Several } else { Values::One } })
    }

    /// The places after the expression, from those before it.
    fn after(self, places: &[bool], uri: &[u8]) -> Vec<bool> {
        let mut next = Vec::with_capacity(places.len());
        let mut open = false;
        let mut led = false;
        for (place, reached) in places.iter().enumerate() {
            let byte = uri.get(place).copied();
            let begins = match self.lead() {
                Some(_) => std::mem::take(&mut led),
                None => *reached,
            };
            led = self.lead().is_some() && *reached && byte == self.lead();
            next.push(open || (self.may_be_absent() && (*reached || begins)));
            open = (open || begins) && byte.is_some_and(|byte| self.allows(byte));
        }
        next
    }

    /// What an expansion starts with.
    fn lead(self) -> Option<u8> {
        match self.operator {
            Operator::Simple | Operator::Reserved => None,
            Operator::Fragment => Some(b'#'),
            Operator::Label => Some(b'.'),
            Operator::PathSegment => Some(b'/'),
            Operator::PathParameter => Some(b';'),
            Operator::Query => Some(b'?'),
            Operator::QueryContinuation => Some(b'&'),
        }
    }

    /// Whether the expansion may be missing altogether. The plain ones may not, as in the SDKs'
    /// own matchers: `notes/{id}` is not `notes/`.
    fn may_be_absent(self) -> bool {
        self.lead().is_some()
    }

    /// Whether a byte may be part of an expansion, after its lead.
    fn allows(self, byte: u8) -> bool {
        match (self.operator, self.values) {
            (Operator::Reserved | Operator::Fragment, _) => true,
            (Operator::Simple | Operator::Label, _) | (Operator::PathSegment, Values::One) => {
                !matches!(byte, b'/' | b'?' | b'#')
            }
            (Operator::PathSegment, Values::Several) => !matches!(byte, b'?' | b'#'),
            (Operator::PathParameter, _) => !matches!(byte, b'/' | b'?' | b'#'),
            (Operator::Query | Operator::QueryContinuation, _) => byte != b'#',
        }
    }
}

#[cfg(test)]
mod tests;
