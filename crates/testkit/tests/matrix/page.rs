//! `docs/matrix.md`: what came of every cell, for whoever wants to know what works with what.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::{env, fs};

use anyhow::Context;
use testkit::{CallerKind, HostKind, repository};

use crate::behaviour::Behaviour;
use crate::cell::Cell;
use crate::{Outcome, Outcomes};

const FILE: &str = "docs/matrix.md";

const INTRODUCTION: &str = "\
# What works between which clients and targets

This page is written by `crates/testkit/tests/matrix`, from what it found: every behaviour below was tried for every kind
of client against every kind of target, through the gateway's own binary. A cell is either *yes*, or names the note that
says why the behaviour has no meaning there; a behaviour that fails somewhere fails the run. The numbers are those of the
thirty behaviours that federating gateways get wrong (`MCP.md`, section 7), of which these are the ones of the revisions
up to 2025-11-25.

Clients and targets are the test's own, because no real one can be made to do most of this; `testing.md` says what is
tested against which real ones. What concerns the users behind clients is tested in `crates/proxy/src/gateway/tests.rs`:
a session that is another user's is one that nobody knows.
";

/// The page.
pub(crate) struct Page<'a> {
    pub(crate) behaviours: &'a [Behaviour],
    pub(crate) outcomes: &'a Outcomes,
}

impl Page<'_> {
    /// Compares it with the file; writes that instead where it is asked to.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let (text, file) = (self.text()?, repository()?.join(FILE));
        if env::var_os("UPDATE_FIXTURES").is_some() {
            return fs::write(&file, text).with_context(|| format!("cannot write `{FILE}`"));
        }
        let present = fs::read_to_string(&file).unwrap_or_default();
        anyhow::ensure!(
            present == text,
            "`{FILE}` is not what the run found; `UPDATE_FIXTURES=1 cargo xtask test outside` writes it"
        );
        Ok(())
    }

    fn text(&self) -> anyhow::Result<String> {
        let mut text = INTRODUCTION.to_owned();
        text.push_str("\n## What was tried\n\n");
        for behaviour in self.behaviours {
            let file = behaviour.file.rsplit('/').next().unwrap_or_default();
            let Behaviour { number, name, meaning, .. } = behaviour;
            writeln!(
                text,
                "- **{number}. {name}.** {meaning} ([`{file}`](../crates/testkit/tests/matrix/{file}))"
            )?;
        }
        let mut notes = BTreeSet::new();
        for target in HostKind::ALL {
            self.table(target, &mut text, &mut notes)?;
        }
        text.push_str("\n## Notes\n\n");
        for (label, reason) in notes {
            writeln!(text, "[^{label}]: {reason}")?;
        }
        Ok(text)
    }

    fn table(
        &self,
        target: HostKind,
        text: &mut String,
        notes: &mut BTreeSet<(&'static str, &'static str)>,
    ) -> anyhow::Result<()> {
        let cells = CallerKind::ALL.map(|client| Cell { client, target });
        let target_name = cells.first().map(|cell| cell.target_name()).unwrap_or_default();
        let clients = cells.map(Cell::client_name).join(" | ");
        writeln!(text, "\n## Targets that speak {target_name}\n\n| behaviour | {clients} |")?;
        writeln!(text, "|---|{}", "---|".repeat(cells.len()))?;
        for (row, behaviour) in self.behaviours.iter().enumerate() {
            write!(text, "| {}. {} |", behaviour.number, behaviour.name)?;
            for cell in cells {
                let outcome = self.outcomes.get(&(row, cell.client, target));
                match outcome.with_context(|| format!("no result: {}, {cell:?}", behaviour.name))? {
                    Outcome::Pass => text.push_str(" yes |"),
                    Outcome::NotApplicable(reason) => {
                        notes.insert((reason.label, reason.text));
                        write!(text, " [^{}] |", reason.label)?;
                    }
                }
            }
            text.push('\n');
        }
        Ok(())
    }
}
