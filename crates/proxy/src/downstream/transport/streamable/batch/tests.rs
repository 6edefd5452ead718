//! How much is kept of a batch's answers.

use futures_util::future::join_all;
use tokio::sync::mpsc;

use super::*;
use crate::context::fixtures::answer_limit;

/// What becomes of answers of these parts, collected at once within `limit` bytes together.
async fn check(limit: usize, answers: Vec<Vec<Part>>, expected: &[&str]) {
    let room = Room::new(answer_limit(limit));
    let collected = answers.into_iter().map(async |answer| {
        let (sender, parts) = mpsc::channel(answer.len().max(1));
        for part in answer {
            sender.send(part).await.unwrap();
        }
        drop(sender);
        let parts = Parts::of_call(parts, CancellationToken::new());
        match last(parts, &room, None, &CancellationToken::new()).await {
            Ok(answer) => String::from_utf8(answer.concat().to_vec()).unwrap(),
            Err(error) => error.class().to_owned(),
        }
    });
    assert_eq!(join_all(collected).await, expected);
}

fn chunks(texts: &[&'static str]) -> Vec<Part> {
    texts.iter().map(|text| Part::Chunk(Bytes::from_static(text.as_bytes()))).collect()
}

#[tokio::test]
async fn the_answers_of_a_batch_share_one_bound() {
    let answers = || vec![chunks(&["aa", "a"]), chunks(&["bbb"]), chunks(&["c"])];
    check(7, answers(), &["aaa", "bbb", "c"]).await;
    check(6, answers(), &["aaa", "bbb", "batch_too_long"]).await;
    check(4, answers(), &["aaa", "batch_too_long", "c"]).await;
}

#[tokio::test]
async fn an_answer_that_did_not_come_takes_no_room() {
    let failed = || Part::Failed(CallError::Cancelled);
    let mut broken = chunks(&["aa"]);
    broken.push(failed());
    check(3, vec![broken, chunks(&["bb", "b"]), vec![]], &["cancelled", "bbb", "shutting_down"])
        .await;
    check(3, vec![chunks(&["aa", "aa"]), chunks(&["bbb"])], &["batch_too_long", "bbb"]).await;
}

#[tokio::test]
async fn a_batch_that_is_given_up_cancels_its_calls() {
    let (sender, parts) = mpsc::channel(1);
    let (call, given_up) = (CancellationToken::new(), CancellationToken::new());
    let room = Room::new(answer_limit(9));
    let answer = Parts::of_call(parts, call.clone());
    let (ended, ()) = tokio::join!(last(answer, &room, None, &given_up), async {
        given_up.cancel();
        call.cancelled().await;
        sender.send(Part::Failed(CallError::Cancelled)).await.unwrap();
    });
    assert_eq!(ended.err().map(|error| error.class()), Some("cancelled"));
}
