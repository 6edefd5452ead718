//! The bodies of the fuzz targets, over their committed corpus and random mutations of it: a few
//! seconds at most, the same inputs each time.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test's helpers may panic, and should"
)]

#[path = "../../../fuzz/bodies.rs"]
mod bodies;

use std::fs;
use std::path::Path;

/// How many mutations of each file of a corpus are tried.
const MUTATIONS: usize = 3000;

#[test]
fn nothing_breaks_a_message() {
    check("message", bodies::message);
}

#[test]
fn nothing_breaks_an_event_stream() {
    check("sse", bodies::sse);
}

#[test]
fn nothing_breaks_the_check_of_a_response() {
    check("response", bodies::response);
}

fn check(target: &str, body: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(seeds.len() > 3);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        body(seed);
        for _ in 0..MUTATIONS {
            let mut data = seed.clone();
            for _ in 0..=random.below(4) {
                mutate(&mut data, &seeds, &mut random);
            }
            body(&data);
        }
    }
}

fn mutate(data: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    const TOKENS: [&[u8]; 12] =
        [b"\"", b"\\", b"{", b"}", b"[", b",", b":", b"\\u00", b"\r", b"\n", b"null", b"\xff"];
    let at = random.below(data.len() + 1);
    match random.below(5) {
        0 if at < data.len() => data[at] = random.below(256) as u8,
        1 => drop(data.splice(at..at, TOKENS[random.below(TOKENS.len())].iter().copied())),
        2 => drop(data.drain(at..(at + random.below(8)).min(data.len()))),
        3 => {
            let end = (at + random.below(40)).min(data.len());
            let copy = data[at..end].to_vec();
            let to = random.below(data.len() + 1);
            drop(data.splice(to..to, copy));
        }
        _ => {
            let other = &seeds[random.below(seeds.len())];
            let start = random.below(other.len() + 1);
            data.truncate(at);
            data.extend_from_slice(&other[start..]);
        }
    }
}

/// xorshift64: enough to choose bytes with, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
