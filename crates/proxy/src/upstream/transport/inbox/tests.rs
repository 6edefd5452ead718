//! What a full channel loses, and what not.

use tokio::sync::mpsc::channel;

use super::*;

fn line() -> Message {
    let line = r#"{"jsonrpc":"2.0","method":"notifications/message"}"#;
    Message::parse(line.into()).unwrap()
}

#[tokio::test]
async fn a_full_channel_loses_logs_and_delays_changes_once() {
    let (sender, mut receiver) = channel(1);
    let tasks = Tasks::new();
    let inbox = Inbox::new(sender.into(), tasks.clone());
    inbox.offer(Inbound::Log(line()));
    inbox.offer(Inbound::Log(line()));
    for _ in 0..10 {
        inbox.list_changed(ListKind::Tools);
    }
    assert_eq!(tasks.running(), 1);
    inbox.closed(UpstreamError::Closed { peer: "p".into() });
    inbox.closed(UpstreamError::Closed { peer: "p".into() });
    assert!(matches!(receiver.recv().await, Some(Inbound::Log(_))));
    assert!(matches!(receiver.recv().await, Some(Inbound::ListChanged(ListKind::Tools))));
    assert!(matches!(receiver.recv().await, Some(Inbound::Closed(_))));
    inbox.list_changed(ListKind::Tools);
    assert!(matches!(receiver.recv().await, Some(Inbound::ListChanged(ListKind::Tools))));
    drop(inbox);
    tasks.close().await;
    assert!(receiver.recv().await.is_none());
}
