//! The same lines however the pipe splits them.

use std::io::Cursor;

use tokio::io::AsyncReadExt;

use super::*;

/// Shows lines: whole ones as they are, others as `!`, with the id where it is known.
async fn lines(text: &[u8], limit: usize, split: usize) -> Vec<String> {
    let (first, second) = text.split_at(split);
    let mut lines =
        Lines::new(Cursor::new(first.to_vec()).chain(Cursor::new(second.to_vec())), limit);
    let mut shown = Vec::new();
    while let Some(line) = lines.next().await {
        shown.push(match line {
            Line::Whole(line) => String::from_utf8(line.to_vec()).unwrap(),
            Line::TooLong(None) => "!".to_owned(),
            Line::TooLong(Some(nonce)) => {
                format!("!{}", String::from_utf8_lossy(nonce.id().as_bytes()))
            }
        });
    }
    shown
}

async fn check(text: &str, limit: usize, expected: &[&str]) {
    for split in 0..text.len() {
        assert_eq!(lines(text.as_bytes(), limit, split).await, expected, "split at {split}");
    }
}

#[tokio::test]
async fn lines_come_whole_however_they_are_split() {
    check("{\"a\":1}\n\n{\"b\":2}\r\nrest", 100, &["{\"a\":1}", "", "{\"b\":2}", "rest"]).await;
    check("abc\n", 3, &["abc"]).await;
    check("abc", 3, &["abc"]).await;
}

#[tokio::test]
async fn a_line_over_the_limit_is_skipped_alone() {
    check("ab\nabcdefgh\ncd\n", 3, &["ab", "!", "cd"]).await;
    check("abcdefgh", 3, &["!"]).await;
}

#[tokio::test]
async fn a_skipped_line_names_its_call_at_either_end() {
    let id = Nonce::new([7; 16]).id();
    let id = String::from_utf8_lossy(id.as_bytes()).into_owned();
    let filler = "x".repeat(3000);
    let blamed = format!("!{id}");
    for text in [
        format!("{{\"id\":{id},\"result\":\"{filler}\"}}\nnext\n"),
        format!("{{\"result\":\"{filler}\",\"id\":{id}}}\nnext\n"),
    ] {
        for split in [0, 10, 20, 1500, 2990, 3030, text.len() - 1] {
            assert_eq!(lines(text.as_bytes(), 100, split).await, [&blamed, "next"]);
        }
    }
    let hidden = format!("{filler}{id}{filler}\n");
    assert_eq!(lines(hidden.as_bytes(), 100, 0).await, ["!"]);
}
