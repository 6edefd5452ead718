use crate::hostname::intersect;

#[test]
fn hosts_have_one_in_common_when_they_are_equal_or_one_is_below_the_other() {
    check("mcp.example.com", "mcp.example.com", true);
    check("MCP.example.com", "mcp.example.com", true);
    check("*.example.com", "mcp.example.com", true);
    check("*.example.com", "deep.mcp.example.com", true);
    check("*.example.com", "*.mcp.example.com", true);
    check("*.example.com", "*.example.com", true);
}

#[test]
fn a_wildcard_does_not_cover_its_own_suffix() {
    check("*.example.com", "example.com", false);
    check("*.example.com", "badexample.com", false);
}

#[test]
fn other_hosts_have_none_in_common() {
    check("mcp.example.com", "example.com", false);
    check("*.a.example.com", "*.b.example.com", false);
}

fn check(one: &str, other: &str, expected: bool) {
    assert_eq!(intersect(one, other), expected, "{one} {other}");
    assert_eq!(intersect(other, one), expected, "{other} {one}");
}
