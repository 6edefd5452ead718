use super::*;

#[test]
fn a_prefix_is_replaced_as_the_gateway_api_says() {
    // Gateway API, HTTPPathModifier: the table of `ReplacePrefixMatch`. Both come without a `/` at
    // their end.
    for (path, matched, prefix, expected) in [
        ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
        ("/foo", "/foo", "/xyz", "/xyz"),
        ("/foo/", "/foo", "/xyz", "/xyz/"),
        ("/foo/bar", "/foo", "", "/bar"),
        ("/foo/", "/foo", "", "/"),
        ("/foo", "/foo", "", "/"),
        ("/bar", "", "/xyz", "/xyz/bar"),
    ] {
        let rewrite = PathRewrite::Prefix(prefix.into());
        assert_eq!(rewrite.apply(path, matched.len()), expected, "{path} {matched} {prefix}");
    }
    assert_eq!(PathRewrite::Full("/one".into()).apply("/foo/bar", 4), "/one");
}
