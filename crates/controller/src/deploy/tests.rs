use super::*;

#[test]
fn a_name_that_a_service_can_have_is_kept_and_any_other_is_shortened_and_stays_apart() {
    for kept in ["a", "mcp-gateway", "agentgateway-proxy", &"a".repeat(63)] {
        assert_eq!(proxy_name(kept), kept);
    }
    let mut names: Vec<String> =
        ["a.b", "a-b.", "1gateway", &"a".repeat(64), &"a".repeat(65), &".".repeat(70)]
            .map(proxy_name)
            .into();
    for name in &names {
        assert!(
            name.len() <= 63 && name.starts_with(|first: char| first.is_ascii_lowercase()),
            "{name}"
        );
        assert!(!name.contains('.'), "{name}");
    }
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}
