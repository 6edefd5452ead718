use super::*;

fn gateway(name: &str) -> ObjectName {
    ObjectName::new("n", name)
}

fn observed(gateway_name: &str, what: Observation) -> Observed {
    Observed { gateway: gateway(gateway_name), pod: "pod".into(), what }
}

fn report(backend: &str, state: &str, error: &str) -> Observation {
    let state = TargetState {
        state: state.into(),
        error: error.into(),
        tools: 3,
        ..TargetState::default()
    };
    let targets = BTreeMap::from([((backend.to_owned(), "files".to_owned()), Some(state))]);
    Observation::Reported(Report { document: "v".into(), targets, ..Report::default() })
}

#[test]
fn a_proxy_has_a_say_only_of_what_its_gateway_serves() {
    let mut proxies = Proxies::default();
    for gateway in ["victim", "tenant"] {
        proxies.observe(observed(gateway, Observation::Connected));
    }
    proxies.observe(observed("victim", report("n/mcp", "down", "")));
    proxies.observe(observed("tenant", report("n/mcp", "up", "forged")));

    let (victim, tenant) = (gateway("victim"), gateway("tenant"));
    let state = |gateways: &[&ObjectName]| {
        proxies.target(gateways, "n/mcp", "files").map(|target| target.state)
    };
    assert_eq!(state(&[&victim]).as_deref(), Some("down"));
    assert_eq!(state(&[&victim, &tenant]).as_deref(), Some("up"));
    assert_eq!(state(&[]), None);
}

#[test]
fn what_a_proxy_says_is_bounded_and_goes_with_its_streams() {
    let mut proxies = Proxies::default();
    proxies.observe(observed("g", Observation::Connected));
    proxies.observe(observed("g", report("n/a", "splendid", "")));
    proxies.observe(observed("g", report("n/b", "down", &"é".repeat(10_000))));
    let g = gateway("g");
    assert_eq!(proxies.target(&[&g], "n/a", "files"), None);
    let target = proxies.target(&[&g], "n/b", "files").unwrap();
    assert_eq!(target.error.chars().count(), LONGEST + 1);

    proxies.observe(observed("g", Observation::Left));
    // What was on its way when the last stream ended.
    proxies.observe(observed("g", report("n/b", "up", "")));
    assert_eq!(proxies.count(), 0);
    assert_eq!(proxies.target(&[&g], "n/b", "files"), None);
}

#[test]
fn the_first_report_of_a_stream_replaces_what_another_stream_said() {
    let mut proxies = Proxies::default();
    let g = gateway("g");
    proxies.observe(observed("g", Observation::Connected));
    proxies.observe(observed("g", report("n/old", "up", "")));
    proxies.observe(observed("g", Observation::Connected));
    let Observation::Reported(said) = report("n/new", "up", "") else { unreachable!() };
    let whole = Observation::Reported(Report { is_whole: true, ..said });
    proxies.observe(observed("g", whole));
    proxies.observe(observed("g", Observation::Left));
    assert_eq!(proxies.target(&[&g], "n/old", "files"), None);
    assert!(proxies.target(&[&g], "n/new", "files").is_some());
}

#[test]
fn a_backend_is_found_by_its_name_however_routes_connect_to_it() {
    let mut proxies = Proxies::default();
    proxies.observe(observed("g", Observation::Connected));
    proxies.observe(observed("g", report("n/mcp@n/route/1", "up", "")));
    proxies.observe(observed("g", report("n/mcp-other", "down", "")));
    let g = gateway("g");
    assert!(proxies.target(&[&g], "n/mcp", "files").is_some());
    assert!(proxies.target(&[&g], "n/mc", "files").is_none());
}
