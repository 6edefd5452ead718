//! Scopes end what belongs to them, wait for it, and leave the rest alone.

use std::future::pending;

use tokio::sync::oneshot;

use crate::tasks::Tasks;

#[tokio::test]
async fn closing_a_scope_ends_and_awaits_its_children() {
    let tasks = Tasks::new();
    let (sender, receiver) = oneshot::channel::<()>();
    tasks.child().child().spawn("forever", async move {
        let _held = sender;
        pending::<()>().await;
    });
    assert_eq!(tasks.running(), 1);
    tasks.close().await;
    assert_eq!(tasks.running(), 0);
    assert!(receiver.await.is_err(), "the future was dropped");
}

#[tokio::test]
async fn cancelling_a_child_leaves_its_parent_running() {
    let tasks = Tasks::new();
    let child = tasks.child();
    let (sender, receiver) = oneshot::channel::<()>();
    tasks.spawn("parent", async move {
        let _ = receiver.await;
    });
    child.spawn("child", pending());
    child.close().await;
    assert_eq!(tasks.running(), 1);
    assert!(!tasks.is_cancelled());
    drop(sender);
    tasks.close().await;
}

#[tokio::test]
async fn a_cancelled_scope_starts_nothing() {
    let tasks = Tasks::new();
    tasks.close().await;
    let (sender, receiver) = oneshot::channel::<()>();
    tasks.spawn("late", async move {
        let _ = sender.send(());
    });
    assert!(receiver.await.is_err());
}

#[tokio::test]
async fn closing_waits_for_a_task_that_must_reach_its_end() {
    let tasks = Tasks::new();
    let (begin, begun) = oneshot::channel::<()>();
    let (end, ended) = oneshot::channel::<()>();
    tasks.child().spawn_to_end("last", async move {
        let _ = begun.await;
        let _ = end.send(());
    });
    tasks.cancel();
    let _ = begin.send(());
    tasks.close().await;
    assert!(ended.await.is_ok());
}
