//! Where URIs stand in the answers of the server.

use crate::uris::server::SHARED_PAGE;

/// An answer with URIs in it.
pub struct UriPlace {
    /// What is asked.
    pub method: &'static str,
    /// What it is asked with; `{target}` stands for the target's name.
    pub params: &'static str,
    /// Where the URIs stand, and how their target knows them.
    pub uris: &'static [(&'static str, &'static str)],
}

/// Where the URIs of every answer stand.
pub const PLACES: &[UriPlace] = &[
    UriPlace { method: "tools/call", params: r#"{"name":"{target}_show"}"#, uris: SHOWN },
    UriPlace { method: "tools/call", params: r#"{"name":"{target}_fail"}"#, uris: FAILED },
    UriPlace {
        method: "prompts/get",
        params: r#"{"name":"{target}_several"}"#,
        uris: &[
            ("/result/messages/0/content/uri", "memo:of-prompt"),
            ("/result/messages/1/content/resource/uri", "memo:in-prompt"),
            ("/result/messages/2/content/0/resource/uri", "x://open/2"),
            ("/result/messages/2/content/1/uri", "notes/plain"),
            ("/result/_meta/ui/resourceUri", "ui://app/of-prompt"),
        ],
    },
    UriPlace { method: "prompts/get", params: r#"{"name":"{target}_fail"}"#, uris: FAILED },
    UriPlace {
        method: "resources/read",
        params: r#"{"uri":"{target}+memo:folder"}"#,
        uris: &[
            ("/result/contents/0/uri", "memo:folder"),
            ("/result/contents/1/uri", "memo:folder/one"),
            ("/result/contents/2/uri", SHARED_PAGE),
            ("/result/contents/3/uri", "notes/plain"),
            ("/result/contents/3/_meta/ui/resourceUri", "ui://app/of-contents"),
            ("/result/_meta/ui~1resourceUri", "ui://app/of-read"),
        ],
    },
    UriPlace { method: "resources/read", params: r#"{"uri":"{target}+memo:fail"}"#, uris: FAILED },
    UriPlace {
        method: "resources/subscribe",
        params: r#"{"uri":"{target}+memo:fail"}"#,
        uris: FAILED,
    },
    UriPlace {
        method: "resources/unsubscribe",
        params: r#"{"uri":"{target}+memo:fail"}"#,
        uris: FAILED,
    },
    UriPlace {
        method: "completion/complete",
        params: r#"{"ref":{"type":"ref/prompt","name":"{target}_fail"},"argument":{"name":"id","value":""}}"#,
        uris: FAILED,
    },
    UriPlace {
        method: "tools/list",
        params: "{}",
        uris: &[
            ("/result/tools/0/_meta/ui/resourceUri", "ui://app/board"),
            ("/result/tools/1/_meta/ui~1resourceUri", "ui://app/flat"),
            ("/result/tools/1/_meta/ui/resourceUri", "ui://app/both"),
        ],
    },
    UriPlace {
        method: "resources/list",
        params: "{}",
        uris: &[
            ("/result/resources/0/uri", "memo:listed"),
            ("/result/resources/1/uri", SHARED_PAGE),
            ("/result/resources/2/uri", "https://{target}.example.com/own"),
            ("/result/resources/3/uri", "notes/plain"),
            ("/result/resources/4/uri", "ui://app/board"),
            ("/result/resources/5/uri", "memo:own-of-{target}"),
        ],
    },
];

/// Where the URIs of the tool `show` stand.
pub const SHOWN: &[(&str, &str)] = &[
    ("/result/content/0/uri", "memo:unlisted"),
    ("/result/content/1/resource/uri", "memo:embedded"),
    ("/result/content/1/resource/_meta/ui/resourceUri", "ui://app/inside"),
    ("/result/content/1/_meta/ui~1resourceUri", "ui://app/of-block"),
    ("/result/content/2/uri", SHARED_PAGE),
    ("/result/content/3/resource/uri", "notes/plain"),
    ("/result/content/4/uri", "x://open/1"),
    ("/result/content/5/resource/uri", "memo://page/1"),
    ("/result/content/6/resource/uri", "memo:a+b"),
    ("/result/content/7/resource/uri", "ui://app/board"),
    ("/result/_meta/ui/resourceUri", "ui://app/of-result"),
];

/// Where the URI of an error stands.
pub const FAILED: &[(&str, &str)] = &[("/error/data/uri", "memo:of-error")];
