//! What a tutorial has a person type, in its order, and what it shows as the outcome.

use crate::seeds::document::indented;
use crate::seeds::substitutions::{Document, Indentation, replaced};

/// One thing to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The command, or several of one block, for a shell.
    pub command: String,
    /// The output that the tutorial shows for it; empty where it shows none.
    pub shown: String,
}

impl Step {
    /// Whether a line of it begins with `words`, or is a command of the Inspector for `inspector`.
    pub fn types(&self, words: &str) -> bool {
        let mut lines = self.command.lines().map(str::trim_start);
        match words {
            "inspector" => lines.any(|line| line.contains("inspector --cli")),
            words => lines.any(|line| line.starts_with(words)),
        }
    }
}

/// The steps of a tutorial's page, with its substitutions made.
pub(super) fn of_page(text: &str, substitutions: Document) -> anyhow::Result<Vec<Step>> {
    let mut text = text.to_owned();
    for replacement in substitutions.replace.iter().chain(&substitutions.commands) {
        text = replaced(&text, &replacement.from, &replacement.to)?;
    }
    let first = substitutions.first.iter().map(|addition| addition.command.clone());
    let manifests = substitutions.add.iter();
    let applied = manifests.map(|add| format!("kubectl apply -f- <<EOF\n{}EOF", add.manifest));
    let mut steps: Vec<Step> =
        first.chain(applied).map(|command| Step { command, shown: String::new() }).collect();
    if text.lines().any(|line| line.trim_start().starts_with(FENCE)) {
        steps.extend(fenced(&text));
    } else {
        steps.extend(of_lines(&text, &substitutions.indent)?);
    }
    steps.retain(|step| step.command.lines().any(says_something));
    for step in &steps {
        anyhow::ensure!(!step.command.contains("{{"), "a placeholder is left: {}", step.command);
    }
    Ok(steps)
}

/// The steps of a script: a command may take several lines, and comments behind it show its output.
pub(super) fn of_script(text: &str) -> anyhow::Result<Vec<Step>> {
    of_lines(text, &[])
}

const FENCE: &str = "```";

fn says_something(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// Blocks between fences: those in a language of shells are typed, others show what comes of it.
fn fenced(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix(FENCE) else {
            continue;
        };
        let margin = line.len() - line.trim_start().len();
        let inside = lines.by_ref().take_while(|line| !line.trim_start().starts_with(FENCE));
        let block: String =
            inside.map(|line| format!("{}\n", without_margin(line, margin))).collect();
        match (language.trim(), steps.last_mut()) {
            // A block of YAML is a heredoc for kubectl.
            ("sh" | "bash" | "yaml", _) => {
                steps.push(Step { command: block, shown: String::new() });
            }
            (_, Some(step)) => step.shown = block,
            (_, None) => {}
        }
    }
    steps
}

fn without_margin(line: &str, margin: usize) -> &str {
    let spaces = line.len() - line.trim_start().len();
    line.split_at(margin.min(spaces)).1
}

/// The programs whose lines are typed where nothing else says which lines are.
const PROGRAMS: [&str; 7] = ["kubectl", "helm", "npx", "claude", "kind", "curl", "mcp-inspector"];

/// Lines that start with a program, with their continuation lines and heredocs; the body of each heredoc with its own
/// indentation, where the page lost it.
fn of_lines(text: &str, indentation: &[Indentation]) -> anyhow::Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = text.lines();
    let mut indentation = indentation.iter();
    while let Some(line) = lines.next() {
        let typed = PROGRAMS
            .iter()
            .any(|program| line.strip_prefix(program).is_some_and(|rest| rest.starts_with(' ')));
        if !typed {
            if let (Some(step), Some(comment)) = (steps.last_mut(), line.strip_prefix('#')) {
                step.shown.push_str(comment.strip_prefix(' ').unwrap_or(comment));
                step.shown.push('\n');
            }
            continue;
        }
        let mut command = line.to_owned();
        while command.ends_with('\\')
            && let Some(line) = lines.next()
        {
            command.push('\n');
            command.push_str(line);
        }
        if command.ends_with("<<EOF") {
            let inside = lines.by_ref().take_while(|line| line.trim() != "EOF");
            let mut body: String = inside.map(|line| format!("{line}\n")).collect();
            if let Some(depths) = indentation.next() {
                body = indented(&body, &depths.depths)?;
            }
            command = format!("{command}\n{body}EOF");
        }
        steps.push(Step { command, shown: String::new() });
    }
    Ok(steps)
}

#[cfg(test)]
mod tests;
