//! What a proxy tells the controller of what it serves.

use crate::generated::report as wire;

/// What has changed since the last report; the first one of a stream is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether it is the first one of a stream. Whoever receives it finds that out.
    pub is_whole: bool,
    /// The version of the document that is served; empty before the first.
    pub document_version: String,
    /// Targets that stand otherwise than before.
    pub targets: Vec<TargetReport>,
    /// What is wrong with the document, each time; of very many, the first.
    pub findings: Vec<Finding>,
}

/// How a target of a backend stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetReport {
    /// The backend's name in the document.
    pub backend: String,
    /// The target's.
    pub target: String,
    /// `starting`, `up`, `stale`, `down` or `closed`; `gone` where it is no part of the document any more.
    pub state: String,
    /// The revision that it speaks; empty where nobody knows.
    pub revision: String,
    /// How many tools it lists.
    pub tools: u32,
    /// The class of its last error; empty where there was none.
    pub error: String,
}

/// Something that is wrong with a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// Its short stable name.
    pub id: String,
    /// Where in the document.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl From<Report> for wire::ReportRequest {
    fn from(report: Report) -> Self {
        let target = |target: TargetReport| wire::TargetReport {
            backend: target.backend,
            target: target.target,
            state: target.state,
            revision: target.revision,
            tools: target.tools,
            error: target.error,
        };
        let finding = |finding: Finding| wire::Finding {
            id: finding.id,
            path: finding.path,
            message: finding.message,
        };
        Self {
            document_version: report.document_version,
            targets: report.targets.into_iter().map(target).collect(),
            findings: report.findings.into_iter().map(finding).collect(),
        }
    }
}

impl From<wire::ReportRequest> for Report {
    fn from(request: wire::ReportRequest) -> Self {
        let target = |target: wire::TargetReport| TargetReport {
            backend: target.backend,
            target: target.target,
            state: target.state,
            revision: target.revision,
            tools: target.tools,
            error: target.error,
        };
        let finding = |finding: wire::Finding| Finding {
            id: finding.id,
            path: finding.path,
            message: finding.message,
        };
        Self {
            is_whole: false,
            document_version: request.document_version,
            targets: request.targets.into_iter().map(target).collect(),
            findings: request.findings.into_iter().map(finding).collect(),
        }
    }
}
