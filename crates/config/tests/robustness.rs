//! Whatever is written, reading and compiling it ends, and never panics.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "the whole file is a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use config::{Variables, compile, expand, format, merge, read, to_yaml};

fn fixtures() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|kind| kind != "txt"));
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn check(text: &str) {
    let _ = format(text);
    let readings = [read("a", text), expand("b", text)].into_iter().flatten();
    let reading = merge(readings.collect());
    let compiled = compile(&reading.document, &reading.origins, &Variables::new());
    let _ = format!("{}", compiled.snapshot);
    let again = read("c", &to_yaml(&reading.document)).unwrap();
    assert_eq!(again.document, reading.document, "{text}");
}

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// A text with a piece removed, repeated, replaced by a piece of another, or a character changed.
fn mutate(text: &str, other: &str, random: &mut Random) -> String {
    let characters: Vec<char> = text.chars().collect();
    let others: Vec<char> = other.chars().collect();
    let start = random.below(characters.len() + 1);
    let end = (start + random.below(24)).min(characters.len());
    let mut mutated = characters[..start].to_vec();
    match random.below(5) {
        0 => {}
        1 => {
            mutated.extend(&characters[start..end]);
            mutated.extend(&characters[start..end]);
        }
        2 => {
            let from = random.below(others.len() + 1);
            let to = (from + random.below(40)).min(others.len());
            mutated.extend(&others[from..to]);
        }
        3 => {
            let odd: Vec<char> = "{}[]:,\"'&*!|>-#%@`~\\\n\t $\u{0}é\u{2028}😀".chars().collect();
            mutated.push(odd[random.below(odd.len())]);
        }
        _ => {
            let words = ["null", "-1", "<<: *base", "&base", "${", "tls: {", "- ", "\"\"", "1e999"];
            mutated.extend(words[random.below(words.len())].chars());
        }
    }
    mutated.extend(&characters[end..]);
    mutated.into_iter().collect()
}

#[test]
fn mutated_documents_never_panic() {
    let fixtures = fixtures();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..4_000 {
        let mut text = fixtures[random.below(fixtures.len())].clone();
        for _ in 0..=random.below(6) {
            text = mutate(&text, &fixtures[random.below(fixtures.len())], &mut random);
        }
        check(&text);
    }
}

#[test]
fn hostile_documents_end_soon() {
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, previous) in ('b'..='z').zip('a'..='y') {
        let aliases = vec![format!("*{previous}"); 10].join(", ");
        laughs.push_str(&format!("{name}: &{name} [{aliases}]\n"));
    }
    let texts = [
        laughs,
        "[".repeat(1_000_000),
        "{".repeat(1_000_000),
        "- ".repeat(100_000),
        "a: ".repeat(100_000),
        "{\"a\":".repeat(100_000),
        format!("targets: [{}]", "a,".repeat(500_000)),
        format!("targets:\n{}", "  - {name: a, url: 'http://a'}\n".repeat(20_000)),
        format!("x: {}", "\"".repeat(1_000_001)),
        "&a [*a]".to_owned(),
        "/*".repeat(500_000),
        "\u{feff}".repeat(100_000),
    ];
    for text in texts {
        let start = Instant::now();
        let shown: String = text.chars().take(40).collect();
        check(&text);
        assert!(start.elapsed() < Duration::from_secs(20), "{shown} took {:?}", start.elapsed());
    }
}
