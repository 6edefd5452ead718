//! The optional parts that entries and content share: icons, annotations, contents of resources.

use crate::editor::{Editor, Fate, Flaw};

/// The `annotations` of a resource or of content.
pub(super) fn annotations(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    if editor.peek() != Some(b'{') {
        editor.any()?;
        return Ok(Fate::Goes);
    }
    editor.object(|editor, key| match key {
        "audience" => editor.texts(|role| matches!(role, "user" | "assistant")),
        "priority" => priority(editor),
        "lastModified" => {
            let time = editor.string()?;
            Ok(Fate::stays_if(time.is_some_and(|time| is_time(time.as_str()))))
        }
        _ => editor.any(),
    })?;
    Ok(Fate::Stays)
}

/// The `icons` of an entry: all of them go if one has no `src`.
pub(super) fn icons(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    if editor.peek() != Some(b'[') {
        editor.any()?;
        return Ok(Fate::Goes);
    }
    let mut all = true;
    editor.array(|editor| {
        all &= icon(editor)?;
        Ok(())
    })?;
    Ok(Fate::stays_if(all))
}

/// The contents of a resource, in a result of `resources/read` or embedded.
pub(super) fn contents(editor: &mut Editor<'_>) -> Result<(), Flaw> {
    if editor.peek() != Some(b'{') {
        editor.any()?;
        return Ok(());
    }
    editor.object(|editor, key| match key {
        "mimeType" | "text" | "blob" | "_meta" => editor.not_null(),
        _ => editor.any(),
    })?;
    Ok(())
}

fn priority(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    let span = editor.value()?;
    let raw = editor.bytes.get(span).and_then(|raw| std::str::from_utf8(raw).ok());
    let number = raw.and_then(|raw| raw.parse::<f64>().ok());
    Ok(Fate::stays_if(number.is_some_and(|number| (0.0..=1.0).contains(&number))))
}

fn icon(editor: &mut Editor<'_>) -> Result<bool, Flaw> {
    if editor.peek() != Some(b'{') {
        editor.any()?;
        return Ok(false);
    }
    let (mut there, mut good) = (false, true);
    editor.object(|editor, key| match key {
        "src" => {
            there = true;
            good &= editor.text()? == Fate::Stays;
            Ok(Fate::Stays)
        }
        "mimeType" => editor.text(),
        "sizes" => editor.texts(|_| true),
        "theme" => {
            let theme = editor.string()?;
            let known = theme.is_some_and(|theme| matches!(theme.as_str(), "light" | "dark"));
            Ok(Fate::stays_if(known))
        }
        _ => editor.any(),
    })?;
    Ok(there && good)
}

/// Whether a text has the form `2025-01-12T15:00:58.5Z`, the zone an offset or `Z`: strict clients
/// refuse a time without a zone.
fn is_time(text: &str) -> bool {
    let digits = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                form => byte == form,
            })
    };
    let Some((time, rest)) = text.split_at_checked(19) else { return false };
    let zone = rest.strip_prefix('.').map_or(rest, |fraction| {
        let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
        // A point needs a digit after it.
        if zone.len() == fraction.len() { "" } else { zone }
    });
    digits(time, "0000-00-00T00:00:00")
        && (zone == "Z" || digits(zone, "+00:00") || digits(zone, "-00:00"))
}
