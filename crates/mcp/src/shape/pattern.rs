//! Regular expressions of schemas, as clients in JavaScript compile them (ECMA-262, with the flag `u`).

use regress::{Flags, Regex};

/// The longest pattern that is looked at, in bytes: reading one takes stack for each level of it.
const LONGEST: usize = 1 << 10;

/// Whether clients that compile a pattern can; of a long one that is not known, and not taken for granted.
pub(super) fn compiles(pattern: &str) -> bool {
    let flags = Flags { unicode: true, ..Flags::default() };
    pattern.len() <= LONGEST && Regex::with_flags(pattern, flags).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expected: bool) {
        assert_eq!(compiles(pattern), expected, "{pattern}");
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
    fn the_deepest_pattern_that_is_looked_at_takes_no_more_stack_than_a_thread_has() {
        let deep = |open: &str, close: &str| {
            let levels = LONGEST / (open.len() + close.len());
            format!("{}{}", open.repeat(levels), close.repeat(levels))
        };
        let checked = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
            check(&deep("(", ")"), true);
            check(&deep("(?=", ")"), true);
            check(&deep("(a|", ")*"), true);
            check(&"(".repeat(LONGEST), false);
        });
        checked.unwrap().join().unwrap();
    }
}
