//! What a list says about targets that are not simply there, in its `_meta`.

use std::sync::Arc;
use std::time::SystemTime;

use mcp::{ListKind, TARGETS_META};
use serde::Serialize;

use crate::catalog::{Standing, Withheld, WithheldReason};
use crate::federation::menu::MenuTarget;
use crate::federation::menu::fragment::{Fragment, Unreadable};

/// So many withheld entries are named for each target; the rest are only counted.
const NAMED_ENTRIES: usize = 20;

/// One target of the report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    name: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    withheld_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withheld: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    reason: &'a str,
}

/// The `_meta` object of a list whose fragments are in the order of `targets`: `None` if every
/// target is fresh, and its list whole with nothing withheld.
pub(super) fn meta(
    targets: &[MenuTarget],
    fragments: &[Arc<Fragment>],
    kind: ListKind,
) -> Option<Vec<u8>> {
    let both = targets.iter().zip(fragments);
    let reports: Vec<_> =
        both.filter_map(|(target, fragment)| report(target, fragment, kind)).collect();
    if reports.is_empty() {
        return None;
    }
    serde_json::to_vec(&std::collections::BTreeMap::from([(TARGETS_META, reports)])).ok()
}

fn report<'a>(
    target: &'a MenuTarget,
    fragment: &'a Fragment,
    kind: ListKind,
) -> Option<Report<'a>> {
    let catalog = target.catalog.as_deref();
    let entries = catalog.map_or(&[][..], |catalog| catalog.withheld()).iter();
    let entries = entries.filter(|entry| entry.kind == kind).map(unroutable);
    let withheld: Vec<_> = entries.chain(fragment.withheld.iter().map(unreadable)).collect();
    let unread = catalog.and_then(|catalog| catalog.unread(kind));
    let cut = catalog.and_then(|catalog| catalog.cut(kind));
    let offered = catalog.is_none_or(|catalog| catalog.hello.capabilities.offers(kind));
    let (state, since, reason) = match &target.standing {
        Standing::Fresh if let Some(unread) = unread => {
            ("stale", timestamp(unread.since), Some(unread.reason.as_str()))
        }
        Standing::Fresh if let Some(cut) = cut => ("cut", None, Some(cut.reason.as_str())),
        Standing::Fresh if withheld.is_empty() => return None,
        Standing::Fresh => ("fresh", None, None),
        Standing::Stale { .. } if withheld.is_empty() && !offered => return None,
        Standing::Stale { since, reason } => ("stale", timestamp(*since), Some(reason.as_str())),
        Standing::Missing { since, reason } => {
            ("missing", timestamp(*since), Some(reason.as_str()))
        }
    };
    Some(Report {
        name: target.name.as_str(),
        state,
        since,
        reason,
        withheld_count: withheld.len(),
        withheld: withheld.into_iter().take(NAMED_ENTRIES).collect(),
    })
}

fn unroutable(withheld: &Withheld) -> Entry<'_> {
    let reason = match withheld.reason {
        WithheldReason::NoKey => "its name or URI is missing, empty or not a string",
        WithheldReason::Repeated => "an earlier entry has the same name or URI",
    };
    Entry { key: withheld.key.as_deref(), reason }
}

fn unreadable(withheld: &Unreadable) -> Entry<'_> {
    Entry { key: Some(&withheld.key), reason: &withheld.reason }
}

/// RFC 3339, to the second.
fn timestamp(time: SystemTime) -> Option<String> {
    let exact = jiff::Timestamp::try_from(time).ok()?;
    Some(jiff::Timestamp::from_second(exact.as_second()).ok()?.to_string())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
