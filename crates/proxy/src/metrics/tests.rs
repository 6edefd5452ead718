//! What a scrape shows.

use std::time::Duration;

use http::StatusCode;

use crate::metrics::{Limit, Metrics, RequestKind};
use crate::tasks::Tasks;

/// Every line of `expected` is a line of the scrape.
fn check(metrics: &Metrics, expected: &[&str]) {
    let text = metrics.encode();
    for line in expected {
        assert!(text.lines().any(|actual| actual == *line), "`{line}` is missing in\n{text}");
    }
}

#[test]
fn requests_are_counted_by_route_method_and_class_of_status() {
    let metrics = Metrics::new(&Tasks::new());
    let route = metrics.route("all");
    route.answered(RequestKind::Message(mcp::Method::ToolsCall), StatusCode::OK);
    route.answered(RequestKind::Message(mcp::Method::ToolsCall), StatusCode::ACCEPTED);
    metrics.route("all").answered(RequestKind::Message(mcp::Method::Other), StatusCode::NOT_FOUND);
    route.unanswered(RequestKind::Stream);
    check(
        &metrics,
        &[
            "# TYPE portico_requests counter",
            r#"portico_requests_total{route="all",method="tools/call",status="2xx"} 2"#,
            r#"portico_requests_total{route="all",method="other",status="4xx"} 1"#,
            r#"portico_requests_total{route="all",method="GET",status="none"} 1"#,
        ],
    );
}

#[test]
fn latencies_fall_into_the_bucket_that_bounds_them() {
    let metrics = Metrics::new(&Tasks::new());
    let target = metrics.target("all", "github");
    target.observe(mcp::Method::ToolsCall, Duration::from_millis(1));
    target.observe(mcp::Method::ToolsCall, Duration::from_millis(3));
    target.observe(mcp::Method::ToolsCall, Duration::from_secs(400));
    let line = |suffix: &str, le: &str, value: &str| {
        let labels = r#"backend="all",target="github",method="tools/call""#;
        format!("portico_target_call_duration_seconds_{suffix}{{{le}{labels}}} {value}")
    };
    check(
        &metrics,
        &[
            &line("count", "", "3"),
            &line("sum", "", "400.004"),
            &line("bucket", r#"le="0.001","#, "1"),
            &line("bucket", r#"le="0.005","#, "2"),
            &line("bucket", r#"le="300.0","#, "2"),
            &line("bucket", r#"le="+Inf","#, "3"),
        ],
    );
}

#[test]
fn a_target_shows_its_state_and_its_errors() {
    let metrics = Metrics::new(&Tasks::new());
    let target = metrics.target("all", "github");
    target.up.set(1);
    target.set_entries(mcp::ListKind::Tools, 7);
    target.refreshes.inc();
    target.error("timeout");
    target.error("timeout");
    let process = target.process();
    check(
        &metrics,
        &[
            r#"portico_target_up{backend="all",target="github"} 1"#,
            r#"portico_catalog_entries{backend="all",target="github",kind="tools"} 7"#,
            r#"portico_catalog_refreshes_total{backend="all",target="github"} 1"#,
            r#"portico_target_errors_total{backend="all",target="github",class="timeout"} 2"#,
            r#"portico_target_processes{backend="all",target="github"} 1"#,
        ],
    );
    drop(process);
    check(&metrics, &[r#"portico_target_processes{backend="all",target="github"} 0"#]);
}

#[test]
fn what_was_removed_is_no_longer_shown() {
    let metrics = Metrics::new(&Tasks::new());
    let target = metrics.target("all", "github");
    target.up.set(1);
    drop(target);
    assert!(!metrics.encode().contains("github"));
    metrics.target("all", "gitlab");
    assert_eq!(metrics.targets.alive().len(), 0);
}

#[test]
fn guards_count_for_as_long_as_they_live() {
    let metrics = Metrics::new(&Tasks::new());
    let first = metrics.session();
    let _second = metrics.session();
    let _exchange = metrics.exchange();
    check(&metrics, &["portico_sessions 2", "portico_exchanges 1"]);
    drop(first);
    check(&metrics, &["portico_sessions 1", "portico_streams 0", "portico_tasks 0"]);
}

#[test]
fn memory_is_what_the_allocator_says_and_nothing_where_it_does_not() {
    let metrics = Metrics::with_memory(&Tasks::new(), || Some(4096));
    check(
        &metrics,
        &["# UNIT portico_memory_allocated_bytes bytes", "portico_memory_allocated_bytes 4096"],
    );
    let metrics = Metrics::with_memory(&Tasks::new(), || None);
    assert!(!metrics.encode().contains("memory_allocated"));
}

#[test]
fn each_limit_counts_its_own_rejections() {
    let metrics = Metrics::new(&Tasks::new());
    for limit in Limit::ALL {
        metrics.rejected(limit);
    }
    metrics.rejected(Limit::Entries);
    check(
        &metrics,
        &[
            r#"portico_limit_rejections_total{limit="connections"} 1"#,
            r#"portico_limit_rejections_total{limit="tools_per_target"} 2"#,
        ],
    );
}

#[test]
fn a_quote_in_a_configured_name_is_escaped() {
    let metrics = Metrics::new(&Tasks::new());
    let route = metrics.route("a\"b");
    route.unanswered(RequestKind::Unread);
    check(&metrics, &[r#"portico_requests_total{route="a\"b",method="unread",status="none"} 1"#]);
}
