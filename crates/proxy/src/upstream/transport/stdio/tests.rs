//! Processes: shell scripts that speak MCP as far as a test needs it.

use std::path::Path;

use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

use super::*;
use crate::upstream::transport::fixtures::{HELLO, LONG, dial_with, exchange, open, outgoing};
use crate::upstream::transport::inbox::Inbound;
use crate::upstream::transport::{Connection, Dial};

/// Reads a line, keeps it in `$line` and its id in `$id`, and writes it down.
const READ: &str = r#"
next() { IFS= read -r line || exit 0; printf '%s\n' "$line" >> "$0.seen"; id=${line##*\"id\":}; id=${id%%[,\}]*}; }
"#;

/// A script in a folder of its own, which goes with it.
struct Script(TempDir);

impl Script {
    /// A server that has said hello, then does `rest`.
    fn new(rest: &str) -> Self {
        let hello = HELLO.replace("ID", "'$id'");
        Self::raw(&format!("{READ}next; printf '%s\\n' '{hello}'; next\n{rest}\n"))
    }

    fn raw(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s"), text).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn members(&self) -> String {
        format!("command: sh, args: ['{}'], env: {{ SECRET: abc }}", self.file("s").display())
    }

    async fn open(&self) -> (Connection, tokio::sync::mpsc::Receiver<Inbound>) {
        self.open_with(config::Limits::default()).await
    }

    async fn open_with(
        &self,
        limits: config::Limits,
    ) -> (Connection, tokio::sync::mpsc::Receiver<Inbound>) {
        open(&dial_with(&self.members(), limits)).await
    }
}

/// Waits for a file that holds a line, and gives it.
async fn written(path: &Path) -> String {
    let waited = async {
        loop {
            let text = tokio::fs::read_to_string(path).await.unwrap_or_default();
            if text.ends_with('\n') {
                return text.trim().to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, waited).await.unwrap()
}

async fn gone(pid: &str) {
    let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
    // A process that nobody waited for yet counts as gone: the system keeps only its name.
    let is_zombie = |pid: Pid| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        stat.is_ok_and(|stat| stat.contains(") Z "))
    };
    let waited = async {
        while test_kill_process(pid).is_ok() && !is_zombie(pid) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, waited).await.unwrap();
}

const ECHO: &str = r#"while next; do printf '{ "result":{"n":1.50,"s":"\\u0041"},"id":%s,"jsonrpc":"2.0","x":null}\n' "$id"; done"#;

#[tokio::test]
async fn requests_and_answers_pass_byte_for_byte() {
    let script = Script::new(ECHO);
    let (connection, _) = script.open().await;
    let mut request = outgoing(7, "tools/call");
    let pretty = String::from_utf8(request.body.to_vec()).unwrap().replace(", ", ",\r\n");
    request.body = pretty.clone().into();
    let (messages, class) = exchange(&connection, request).await;
    let id = String::from_utf8_lossy(outgoing(7, "").nonce.id().as_bytes()).into_owned();
    let expected =
        format!(r#"{{ "result":{{"n":1.50,"s":"\u0041"}},"id":{id},"jsonrpc":"2.0","x":null}}"#);
    assert_eq!((messages, class), (vec![expected], ""));
    let seen = std::fs::read_to_string(script.file("s.seen")).unwrap();
    // Line ends cannot pass on a pipe of lines; everything else does.
    assert_eq!(seen.lines().last().unwrap(), pretty.replace("\r\n", "  "));
    connection.close().await;
}

#[tokio::test]
async fn interleaved_answers_find_their_calls() {
    let script = Script::new(
        r#"next; a=$id; next; b=$id
        for id in $b $a; do
            token=$(printf '%s' "$id" | sed 's/"i/"t/')
            printf '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}\n' "$token"
        done
        echo 'not json'; echo; echo '[1'; echo '{"no":"envelope"}'
        printf '[{"jsonrpc":"2.0","id":%s,"result":2},{"jsonrpc":"2.0","id":%s,"result":1}]\n' "$b" "$a"
        next"#,
    );
    let (connection, _) = script.open().await;
    let (one, two) = tokio::join!(
        exchange(&connection, outgoing(1, "a")),
        exchange(&connection, outgoing(2, "b"))
    );
    for ((messages, class), nonce) in [(one, 1), (two, 2)] {
        assert_eq!((messages.len(), class), (2, ""));
        let id = outgoing(nonce, "").nonce.id();
        assert!(messages[1].contains(&*String::from_utf8_lossy(id.as_bytes())));
    }
    connection.close().await;
}

#[tokio::test]
async fn a_server_that_asks_is_answered() {
    let script = Script::new(
        r#"printf '%s\n' '{"jsonrpc":"2.0","id":0,"method":"ping"}' '{"jsonrpc":"2.0","id":1,"method":"roots/list"}' '{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}' '{"jsonrpc":"2.0","method":"notifications/message"}'
        next; next; echo done > "$0.done"; next"#,
    );
    let (connection, mut inbound) = script.open().await;
    assert!(matches!(inbound.recv().await, Some(Inbound::ListChanged(mcp::ListKind::Resources))));
    assert!(matches!(inbound.recv().await, Some(Inbound::Log(_))));
    written(&script.file("s.done")).await;
    let seen = std::fs::read_to_string(script.file("s.seen")).unwrap();
    let seen: Vec<_> = seen.lines().skip(2).collect();
    assert_eq!(seen[0], r#"{"jsonrpc":"2.0","id":0,"result":{}}"#);
    assert!(seen[1].starts_with(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601"#));
    connection.close().await;
}

#[tokio::test]
async fn a_line_over_the_limit_fails_its_call_alone() {
    let script = Script::new(
        r#"next; a=$id; next; b=$id
        printf '{"jsonrpc":"2.0","result":"%05000d","id":%s}\n' 0 "$a"
        printf '{"jsonrpc":"2.0","result":1,"id":%s}\n' "$b"
        next"#,
    );
    let limits = config::Limits { stdio_line: 4000, ..config::Limits::default() };
    let (connection, _) = script.open_with(limits).await;
    let (one, two) = tokio::join!(
        exchange(&connection, outgoing(1, "a")),
        exchange(&connection, outgoing(2, "b"))
    );
    let seen = std::fs::read_to_string(script.file("s.seen")).unwrap();
    let first_is_one = seen.lines().nth(2).unwrap().contains(r#""method":"a""#);
    let (long, short) = if first_is_one { (one, two) } else { (two, one) };
    assert_eq!(long.1, "too_large");
    assert_eq!((short.0.len(), short.1), (1, ""));
    assert!(connection.is_open());
    connection.close().await;
}

#[tokio::test]
async fn a_process_that_dies_fails_its_calls_and_says_how() {
    let script =
        Script::new(r#"next; printf '{"jsonrpc":"2.0","id":%s,"result":1}\n' "$id"; next; exit 3"#);
    let (connection, mut inbound) = script.open().await;
    assert_eq!(exchange(&connection, outgoing(1, "a")).await.1, "");
    assert_eq!(exchange(&connection, outgoing(2, "a")).await.1, "exited");
    let Some(Inbound::Closed(error)) = inbound.recv().await else { panic!() };
    assert_eq!(error.to_string(), "`sh` ended: exit status: 3");
    assert!(!connection.is_open());
    assert_eq!(exchange(&connection, outgoing(3, "a")).await.1, "closed");
    connection.close().await;
}

#[tokio::test]
async fn the_last_words_of_a_process_count() {
    let script =
        Script::new(r#"next; printf '{"jsonrpc":"2.0","id":%s,"result":1}\n' "$id"; exit 0"#);
    let (connection, _) = script.open().await;
    let (messages, class) = exchange(&connection, outgoing(1, "a")).await;
    assert_eq!((messages.len(), class), (1, ""));
}

#[tokio::test]
async fn a_command_that_cannot_run_or_says_nothing_is_an_error() {
    async fn class(members: &str) -> String {
        let (sender, _inbound) = channel(1);
        let dial = dial_with(members, config::Limits::default());
        let error = Connection::open(&dial, sender, Duration::from_millis(300)).await.unwrap_err();
        let left = tokio::time::timeout(LONG, dial.tasks.close()).await;
        assert!(left.is_ok(), "something was left behind");
        error.class().to_owned()
    }
    assert_eq!(class("command: /does/not/exist").await, "connect");
    assert_eq!(class("command: 'false'").await, "exited");
    assert_eq!(class("command: sleep, args: ['100']").await, "timeout");
}

#[tokio::test]
async fn a_process_sees_little_of_our_environment() {
    let script = Script::new(r#"env > "$0.tmp"; mv "$0.tmp" "$0.env"; next"#);
    let (connection, _) = script.open().await;
    let seen = written(&script.file("s.env")).await;
    let names: Vec<_> =
        seen.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert!(names.contains(&"SECRET") && names.contains(&"PATH"));
    assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
    connection.close().await;
}

#[tokio::test]
async fn a_process_ends_when_its_input_does() {
    let script = Script::new(r#"cat > /dev/null; echo ended > "$0.end""#);
    let (connection, _) = script.open().await;
    connection.close().await;
    assert_eq!(std::fs::read_to_string(script.file("s.end")).unwrap(), "ended\n");
}

#[tokio::test]
async fn a_process_that_stays_is_told_then_killed_with_its_children() {
    let script = Script::new(
        r#"trap 'echo told > "$0.told"' TERM
        sh -c 'trap "" TERM; echo $$ > "$0.child"; while :; do sleep 1; done' "$0" &
        while :; do sleep 1; done"#,
    );
    let (connection, _) = script.open().await;
    let child = written(&script.file("s.child")).await;
    connection.close().await;
    assert_eq!(std::fs::read_to_string(script.file("s.told")).unwrap(), "told\n");
    gone(&child).await;
}

#[tokio::test]
async fn children_do_not_outlive_a_process_that_ends_by_itself() {
    let script = Script::new(r#"sleep 1000 & echo $! > "$0.child"; next; exit 0"#);
    let (connection, _) = script.open().await;
    let child = written(&script.file("s.child")).await;
    assert_eq!(exchange(&connection, outgoing(1, "a")).await.1, "exited");
    gone(&child).await;
}

#[tokio::test]
async fn a_dropped_connection_leaves_no_process() {
    let script = Script::new(r#"echo $$ > "$0.pid"; sleep 1000 & echo $! > "$0.child"; cat"#);
    let dial = dial_with(&script.members(), config::Limits::default());
    let (connection, _) = open(&dial).await;
    let pid = written(&script.file("s.pid")).await;
    let child = written(&script.file("s.child")).await;
    drop(connection);
    tokio::time::timeout(LONG, dial.tasks.close()).await.unwrap();
    gone(&pid).await;
    gone(&child).await;
}

#[test]
fn the_end_of_the_runtime_leaves_no_process() {
    let script = Script::new(
        r#"trap '' TERM; echo $$ > "$0.pid"; sleep 1000 & echo $! > "$0.child"; while :; do sleep 1; done"#,
    );
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let first = runtime();
    let (connection, _inbound) = first.block_on(script.open());
    let pid = first.block_on(written(&script.file("s.pid")));
    let child = first.block_on(written(&script.file("s.child")));
    first.shutdown_background();
    let second = runtime();
    second.block_on(gone(&pid));
    second.block_on(gone(&child));
    drop(connection);
}

#[tokio::test]
async fn a_call_in_flight_when_its_session_is_closed_may_have_been_executed() {
    let script = Script::new(r#"next; echo seen > "$0.call"; next"#);
    let (connection, _) = script.open().await;
    let closing = async {
        written(&script.file("s.call")).await;
        connection.close().await;
    };
    let ((_, class), ()) = tokio::join!(exchange(&connection, outgoing(1, "a")), closing);
    assert_eq!(class, "cut");
}

#[tokio::test]
async fn many_calls_share_one_pipe() {
    let script = Script::new(ECHO);
    let (connection, _) = script.open().await;
    let connection = Arc::new(connection);
    let mut calls = tokio::task::JoinSet::new();
    for nonce in 1..=50 {
        let connection = connection.clone();
        calls.spawn(async move { exchange(&connection, outgoing(nonce, "a")).await });
    }
    while let Some(call) = calls.join_next().await {
        let (messages, class) = call.unwrap();
        assert_eq!((messages.len(), class), (1, ""));
    }
    connection.close().await;
}

/// A target that may have one process at a time.
fn dial_to_one(script: &Script) -> Dial {
    let members = format!("{}, maxProcesses: 1", script.members());
    dial_with(&members, config::Limits::default())
}

/// How opening another connection fails.
async fn refusal(dial: &Dial) -> &'static str {
    let (sender, _inbound) = channel(1);
    Connection::open(dial, sender, LONG).await.unwrap_err().class()
}

#[tokio::test]
async fn a_process_that_crashed_leaves_its_place_to_the_next() {
    let script = Script::new("next; exit 3");
    let dial = dial_to_one(&script);
    let (crashed, _inbound) = open(&dial).await;
    assert_eq!(refusal(&dial).await, "limit");
    assert_eq!(exchange(&crashed, outgoing(1, "a")).await.1, "exited");
    let (next, _inbound) = open(&dial).await;
    assert!(next.is_open() && !crashed.is_open());
    next.close().await;
}

#[tokio::test]
async fn a_process_that_is_ending_keeps_its_place_until_it_has() {
    let script = Script::new(
        r#"trap '' TERM; cat > /dev/null; echo ending > "$0.ending"
        until [ -e "$0.go" ]; do sleep 0.01; done"#,
    );
    let dial = dial_to_one(&script);
    let (connection, _inbound) = open(&dial).await;
    drop(connection);
    written(&script.file("s.ending")).await;
    assert_eq!(refusal(&dial).await, "limit");
    std::fs::write(script.file("s.go"), "").unwrap();
    tokio::time::timeout(LONG, dial.tasks.close()).await.unwrap();
    assert!(dial.processes.place().is_ok());
}
