//! The connections to the API server: one for questions, which has an end, and one for watches, which has none.

use std::time::Duration;

use kube::{Client, Config};

/// How long the API server may be silent before a question is given up. Without it, a server that is gone without
/// a word would hold a task for ever (kube-client has no such time by itself).
const SILENCE: Duration = Duration::from_secs(20);

/// The connections to the API server.
#[derive(Clone)]
pub struct Clients {
    /// For questions and writes.
    pub questions: Client,
    /// For watches, which the API server ends by itself.
    pub watches: Client,
}

impl Clients {
    /// To the cluster that this runs in, or the one that `KUBECONFIG` names.
    ///
    /// # Errors
    /// Nothing says where the cluster is, or what it says cannot be used.
    pub async fn infer() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let watches = Config::infer().await?;
        let mut questions = watches.clone();
        questions.read_timeout = Some(SILENCE);
        questions.write_timeout = Some(SILENCE);
        Ok(Self { questions: Client::try_from(questions)?, watches: Client::try_from(watches)? })
    }
}
