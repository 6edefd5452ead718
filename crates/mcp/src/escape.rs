//! What the escapes in a JSON string stand for.

/// The content of a JSON string, decoded.
pub(crate) struct Unescaped {
    pub(crate) text: String,
    /// Whether every surrogate had its other half; where not, the text has U+FFFD.
    pub(crate) whole: bool,
}

/// Decodes the content of a string that a cursor has passed.
pub(crate) fn unescape(content: &[u8]) -> Unescaped {
    let mut text = String::with_capacity(content.len());
    let mut whole = true;
    let mut rest = content;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(backslash);
        text.push_str(&String::from_utf8_lossy(plain));
        let (character, length) = escaped(escape);
        whole &= character.is_some();
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = escape.get(length..).unwrap_or_default();
    }
    text.push_str(&String::from_utf8_lossy(rest));
    Unescaped { text, whole }
}

/// The character that an escape stands for, and how many bytes the escape has.
fn escaped(escape: &[u8]) -> (Option<char>, usize) {
    let character = match escape.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(escape),
        Some(other) => char::from(*other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (Some(character), 2)
}

fn unicode(escape: &[u8]) -> (Option<char>, usize) {
    let Some(first) = code_unit(escape) else { return (None, 2) };
    if let Some(character) = char::from_u32(first) {
        return (Some(character), 6);
    }
    let second = escape.get(6..).and_then(code_unit).unwrap_or_default();
    if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
        return (None, 6);
    }
    let scalar = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    (char::from_u32(scalar), 12)
}

/// The number of a `\uXXXX` at the front.
fn code_unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
