//! Regular expressions of schemas, as clients in JavaScript compile them (ECMA-262, with the flag `u`).

use regress::Flags;
use regress::backends::try_parse;

/// The longest pattern that is looked at, in bytes: reading one takes stack for each level of it.
const LONGEST: usize = 1 << 10;
/// How many bytes of patterns are looked at in one list: a class such as `\p{L}` is hundreds of intervals.
const MOST: usize = 64 << 10;

/// The patterns of one list.
#[derive(Debug)]
pub(super) struct Patterns {
    left: usize,
}

impl Patterns {
    /// None has been looked at.
    pub(super) fn new() -> Self {
        Self { left: MOST }
    }

    /// Whether clients that compile a pattern can. Of a long one, and of one too many, that is not known,
    /// and not taken for granted. It is parsed only: a program made of it can be far longer.
    pub(super) fn compile(&mut self, pattern: &str) -> bool {
        let left = self.left.checked_sub(pattern.len());
        let Some(left) = left.filter(|_| pattern.len() <= LONGEST) else { return false };
        self.left = left;
        let flags = Flags { unicode: true, ..Flags::default() };
        try_parse(pattern.chars().map(u32::from), flags).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expected: bool) {
        assert_eq!(Patterns::new().compile(pattern), expected, "{pattern}");
    }

    #[test]
    fn what_javascript_reads_compiles() {
        for pattern in [
            "",
            "^[a-z]+$",
            r"\d{4}-\d{2}",
            r"^(?<year>\d+)\k<year>$",
            r"\p{L}",
            "(?<!a)b",
            r"\u{1f600}",
        ] {
            check(pattern, true);
        }
    }

    #[test]
    fn what_only_other_languages_read_does_not() {
        for pattern in ["(?i)a", "(?P<name>a)", r"\A\w+\Z", "[", "a**", r"[\w-z]", "a++", "(?#c)a"]
        {
            check(pattern, false);
        }
    }

    #[test]
    fn the_patterns_of_one_list_are_bounded_together() {
        let mut patterns = Patterns::new();
        let long = "a".repeat(LONGEST);
        assert!((0..MOST / LONGEST).all(|_| patterns.compile(&long)));
        assert!(!patterns.compile("a"));
        assert!(!Patterns::new().compile(&"a".repeat(LONGEST + 1)));
    }

    #[test]
    fn the_deepest_pattern_that_is_looked_at_takes_no_more_stack_than_a_thread_has() {
        let deep = |open: &str, close: &str| {
            let levels = LONGEST / (open.len() + close.len());
            format!("{}{}", open.repeat(levels), close.repeat(levels))
        };
        check(&format!("{}{}", "(".repeat(32), ")".repeat(32)), true);
        // How deep is too deep is the library's to say; that it says so is enough.
        let checked = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
            for pattern in [deep("(", ")"), deep("(?=", ")"), deep("(a|", ")*"), deep("[", "]")] {
                Patterns::new().compile(&pattern);
            }
            check(&"(".repeat(LONGEST), false);
        });
        checked.unwrap().join().unwrap();
    }
}
