//! Two transcripts, compared.

use testkit::Change;

use crate::exceptions::{EXCEPTIONS, Exception, Pair, Side};

/// What is lost or found and not on the list of exceptions, and what is on it and neither lost nor found.
pub(crate) fn judge(pair: Pair, side: Side, changes: &[Change]) -> Vec<String> {
    let is_due = |exception: &&Exception| {
        let Exception { clients, servers, .. } = exception;
        exception.side == side && clients.contains(&pair.client) && servers.contains(&pair.server)
    };
    let due: Vec<&Exception> = EXCEPTIONS.iter().filter(is_due).collect();
    let fits = |change: &Change, pattern: &str| {
        let (Change::Lost(line) | Change::Found(line)) = change;
        is_like(line, pattern)
    };
    let lines: Vec<_> = due.iter().flat_map(|exception| exception.lines).collect();
    let differs = |change: &&Change| !lines.iter().any(|pattern| fits(change, pattern));
    let mut noticed: Vec<String> =
        changes.iter().filter(differs).map(|change| format!("{side:?}: {change:?}")).collect();
    for exception in &due {
        for pattern in exception.lines {
            if !changes.iter().any(|change| fits(change, pattern)) {
                let Exception { reason, .. } = exception;
                noticed.push(format!("{side:?}: nothing is like `{pattern}` any more ({reason})"));
            }
        }
    }
    noticed
}

/// Whether a line is as the pattern says.
fn is_like(line: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return line == pattern };
    let Some(line) = line.strip_prefix(start) else { return false };
    line.char_indices().any(|(place, _)| is_like(&line[place..], rest)) || is_like("", rest)
}
