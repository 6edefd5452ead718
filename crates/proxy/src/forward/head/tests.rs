use http::header::TRAILER;

use super::*;

/// The names that are left of `headers`, in their order.
fn check(headers: &[(&str, &str)], left: &[&str]) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    clean(&mut map);
    let names: Vec<&str> = map.keys().map(HeaderName::as_str).collect();
    assert_eq!(names, left);
}

#[test]
fn what_belongs_to_one_connection_is_left_out() {
    check(
        &[
            ("accept", "*/*"),
            ("connection", "close, X-Own"),
            ("connection", "x-other"),
            ("x-own", "1"),
            ("x-other", "2"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("trailer", "x-sum"),
        ],
        &["accept", TRAILER.as_str()],
    );
}

#[test]
fn a_word_of_a_list_is_found() {
    let mut headers = HeaderMap::new();
    headers.append(TE, HeaderValue::from_static("gzip;q=0.5, Trailers"));
    assert!(lists(&headers, &TE, "trailers"));
    assert!(!lists(&headers, &TE, "trail"));
    assert!(!lists(&headers, &CONNECTION, "trailers"));
}
