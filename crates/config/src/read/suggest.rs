//! What someone may have meant.

/// The known word that `word` is a misspelling of, if one is close enough to be worth saying.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace(['_', '-'], "");
    if word.len() > 64 {
        return None;
    }
    let most = if word.len() < 5 { 1 } else { 2 };
    let distances = known.into_iter().map(|known| {
        let other = known.to_ascii_lowercase();
        let is_part =
            word.len() > 2 && (other == format!("{word}s") || word == format!("{other}s"));
        (if is_part { 0 } else { distance(&word, &other) }, known)
    });
    let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= most).then_some(known)
}

/// How many letters have to be put in, left out or replaced to get from one word to the other; two
/// letters that changed places count once.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (index, letter) in from.chars().enumerate() {
        let mut next = vec![index + 1];
        for (column, other) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&row, column) + usize::from(letter != *other);
            let mut cost = replaced.min(at(&row, column + 1) + 1).min(at(&next, column) + 1);
            let swapped = column.checked_sub(1).and_then(|column| to.get(column)) == Some(&letter)
                && previous == Some(*other);
            if swapped {
                cost = cost.min(at(&before, column - 1).saturating_add(1));
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(letter);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
