//! What a target says of its own accord, as its client is to see it; and the ear of a session at a
//! connection that was opened for it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use mcp::{ListKind, Message, Method, Rewrite};

use crate::catalog::Catalog;
use crate::federation::Offer;
use crate::session::record::Session;
use crate::tasks::Tasks;
use crate::upstream::{ClientSettings, Inbound, Listener, Replies, Upstream};

/// How long a client waits to hear that a list changed while the list is read again.
const REREAD: Duration = Duration::from_secs(10);

/// The target that speaks, and the menu by which its client knows it.
#[derive(Debug, Clone)]
pub(crate) struct Speaker {
    pub(crate) offer: Arc<Offer>,
    pub(crate) target: usize,
}

impl Speaker {
    /// A request: among several targets the client's user is told which one asks, what it calls an
    /// elicitation is told apart from what others do, and none gets to see what the client knows of
    /// the others (MCP.md 2, "roots / sampling / elicitation").
    pub(crate) fn request<'a>(&self, request: &Message, rewrite: Rewrite<'a>) -> Rewrite<'a> {
        let Some(name) = self.name() else { return rewrite };
        let routed = request.routed();
        let mut rewrite = rewrite;
        if let Some(message) = &routed.elicitation_message {
            rewrite = rewrite.elicitation_message(&format!("[{name}] {}", message.as_str()));
        }
        if let Some(id) = &routed.elicitation_id {
            rewrite = rewrite.elicitation_id(&format!("{name}+{}", id.as_str()));
        }
        if routed.include_context.is_some() {
            rewrite = rewrite.include_context("none");
        }
        self.related(request, rewrite)
    }

    /// A notification that came with a call, or with none; `None` where no client could make
    /// anything of it.
    pub(crate) fn notice(&self, notice: &Message) -> Option<Bytes> {
        let Some(name) = self.name() else { return Some(notice.bytes().clone()) };
        let (routed, rewrite) = (notice.routed(), notice.rewrite());
        let rewrite = match notice.method() {
            Some(Method::LogMessage) => match &routed.logger {
                Some(logger) => rewrite.logger(&format!("{name}/{}", logger.as_str())),
                None => rewrite,
            },
            Some(Method::ElicitationComplete) => match &routed.elicitation_id {
                Some(id) => rewrite.elicitation_id(&format!("{name}+{}", id.as_str())),
                None => rewrite,
            },
            Some(Method::ResourcesUpdated) => match &routed.uri {
                Some(uri) => rewrite.uri(&self.offer.menu.client_uri(self.target, uri.as_str())),
                None => rewrite,
            },
            Some(Method::TaskStatus) => match &routed.task_id {
                Some(id) => rewrite.task_id(&format!("{name}+{}", id.as_str())),
                None => rewrite,
            },
            Some(Method::Progress) => rewrite,
            // What the gateway does not know would be one target's among many.
            _ => return None,
        };
        Some(self.related(notice, rewrite).bytes())
    }

    /// The task that a message belongs to, as clients know it.
    fn related<'a>(&self, message: &Message, rewrite: Rewrite<'a>) -> Rewrite<'a> {
        let related = message.routed().related_task.as_ref();
        match related.and_then(|id| self.task(id.as_str())) {
            Some(id) => rewrite.related_task(&id),
            None => rewrite,
        }
    }

    /// What clients call a task of the target; `None` where they call it what the target does.
    pub(crate) fn task(&self, id: &str) -> Option<String> {
        self.name().map(|name| format!("{name}+{id}"))
    }

    /// What the target calls a task of its own that a client names.
    pub(crate) fn native_task<'a>(&self, id: &'a str) -> Option<&'a str> {
        id.strip_prefix(self.name()?)?.strip_prefix('+')
    }

    /// The target's name, where it is one among several.
    fn name(&self) -> Option<&str> {
        self.offer.menu.name_among_several(self.target).map(|name| name.as_str())
    }
}

/// A session, as the connection hears it that was opened for it at one upstream.
pub(crate) struct Ear {
    session: Weak<Session>,
    /// The upstream's serial.
    upstream: u64,
    tasks: Tasks,
    /// The lists that are being read again because they changed: one bit each.
    rereading: Arc<AtomicU8>,
}

impl Listener for Ear {
    fn hear(&self, inbound: Inbound) {
        let Some(session) = self.session.upgrade() else { return };
        if let Inbound::Closed(_) = inbound {
            return session.abandon(self.upstream);
        }
        let offer = session.offer();
        // A target that has left the backend has nothing to say any more.
        let Some(target) = offer.target_of(self.upstream) else { return };
        let speaker = Speaker { offer, target };
        match inbound {
            Inbound::ListChanged(kind) => self.list_changed(&session, &speaker, kind),
            Inbound::ResourceUpdated(notice) | Inbound::Notice(notice) => {
                deliver(&session, speaker.notice(&notice));
            }
            Inbound::Log(line) if session.wants(&line) => {
                deliver(&session, speaker.notice(&line));
            }
            Inbound::Log(_) | Inbound::Closed(_) => {}
            Inbound::Request(request, replies) => ask(&session, &speaker, &request, &replies),
            Inbound::Withdrawn(notice, replies) => {
                session.withdraw(&notice, &replies);
            }
        }
    }

    fn settings(&self) -> ClientSettings {
        let Some(session) = self.session.upgrade() else { return ClientSettings::default() };
        let subscriptions = session.subscriptions(self.upstream);
        ClientSettings { level: session.level(), subscriptions }
    }
}

impl Ear {
    pub(super) fn new(session: &Arc<Session>, upstream: u64, tasks: Tasks) -> Arc<Self> {
        let session = Arc::downgrade(session);
        Arc::new(Self { session, upstream, tasks, rereading: Arc::default() })
    }

    /// The lists that are shared are read again, at most once a second however many sessions hear
    /// of it; where they stay as they are, what the target lists for this session is looked at. Where
    /// it is the only target, its word that they changed is passed on, once, when the menu shows
    /// what they are now; else the client hears of what changed for it.
    fn list_changed(&self, session: &Arc<Session>, speaker: &Speaker, kind: ListKind) {
        let Some(member) = speaker.offer.members.get(speaker.target) else { return };
        let (Ok(upstream), Some(feed)) = (member.upstream.clone(), member.feed.clone()) else {
            return;
        };
        let is_single = speaker.offer.menu.is_single();
        let bit = match kind {
            ListKind::Tools => 1,
            ListKind::Prompts => 1 << 1,
            ListKind::Resources | ListKind::ResourceTemplates => 1 << 2,
        };
        if self.rereading.fetch_or(bit, Ordering::AcqRel) & bit != 0 {
            return feed.look_again();
        }
        if is_single {
            session.promise_list_changed(kind);
        }
        let (rereading, view) = (self.rereading.clone(), session.view().clone());
        let session = Arc::downgrade(session);
        self.tasks.spawn("list changed", async move {
            let before = feed.catalog();
            // Past the deadline the client hears of it all the same.
            let shown = async {
                feed.reread().await;
                view.caught_up().await;
            };
            let _ = tokio::time::timeout(REREAD, shown).await;
            rereading.fetch_and(!bit, Ordering::AcqRel);
            let Some(session) = session.upgrade() else { return };
            let shared = feed.catalog();
            let mut is_told = is_single;
            for kind in kinds(kind) {
                if let (Some(before), Some(shared)) = (&before, &shared)
                    && before.same_list(shared, *kind)
                {
                    is_told |= look_at_own(&session, &upstream, shared, *kind).await;
                }
            }
            if is_told {
                session.list_changed(kind);
            }
        });
    }
}

/// The lists that a notification is about.
fn kinds(changed: ListKind) -> &'static [ListKind] {
    match changed {
        ListKind::Tools => &[ListKind::Tools],
        ListKind::Prompts => &[ListKind::Prompts],
        ListKind::Resources | ListKind::ResourceTemplates => {
            &[ListKind::Resources, ListKind::ResourceTemplates]
        }
    }
}

/// Whether a session's own connection lists something that its client has not seen.
async fn look_at_own(
    session: &Session,
    upstream: &Upstream,
    shared: &Catalog,
    kind: ListKind,
) -> bool {
    let slots = session.slots();
    let own = slots.iter().find(|(serial, _)| *serial == upstream.serial());
    let Some(seat) = own.and_then(|(_, slot)| slot.seat()) else { return false };
    if seat.is_opening() || !seat.connection().hello().capabilities.offers(kind) {
        return false;
    }
    match upstream.list(&seat, kind).await {
        Ok(Some(items)) => session.found(upstream, shared, kind, items),
        Ok(None) => false,
        Err(error) => {
            tracing::debug!(%error, "What a target lists for one session is not known.");
            false
        }
    }
}

fn ask(session: &Session, speaker: &Speaker, request: &Message, replies: &Replies) {
    let refused = match session.ask(speaker, request, replies, None) {
        Ok(question) if session.deliver(question.body.clone()) => return,
        Ok(question) => {
            session.forget(&question);
            let text = "the client does not listen";
            mcp::error_response(request.id(), mcp::ErrorCode::InternalError, text, None)
        }
        Err(refused) => refused,
    };
    replies.send(vec![refused]);
}

fn deliver(session: &Session, message: Option<Bytes>) {
    if let Some(message) = message
        && !session.deliver(message)
    {
        tracing::debug!("A notification was dropped: its client does not listen.");
    }
}
