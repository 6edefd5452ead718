//! Text without what is another one each time: UUIDs, dates and times of day.

/// A shape of text, with what stands for it: `h` is a hexadecimal digit, `d` a decimal one, all else is itself.
const SHAPES: [(&str, &str); 5] = [
    ("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "<uuid>"),
    ("dddd-dd-ddT", "<date>T"),
    ("dd:dd:dd.ddd", "<time>"),
    ("dd:dd:dd", "<time>"),
    ("d:dd:dd", "<time>"),
];

/// The text with a placeholder for each of them.
pub(super) fn without_dates_and_ids(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = SHAPES.iter().find(|(shape, _)| has_shape(rest, shape));
        let length = match found {
            Some((shape, placeholder)) => {
                kept.push_str(placeholder);
                shape.len()
            }
            None => {
                kept.push(first);
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    kept
}

fn has_shape(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
            b'h' => byte.is_ascii_hexdigit(),
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        })
}
