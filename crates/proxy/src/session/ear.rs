//! The ear of a session at a connection that was opened for it: what the target says there outside of
//! calls reaches the client.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcp::{ListKind, Message};

use crate::catalog::Catalog;
use crate::session::record::Session;
use crate::session::speaker::Speaker;
use crate::tasks::Tasks;
use crate::upstream::{ClientSettings, Inbound, Listener, Replies, Seat, Slot, Upstream};

/// How long a client waits to hear that a list changed while the list is read again.
const REREAD: Duration = Duration::from_secs(10);

impl Session {
    /// The place of this session's connection to the upstream with this serial, the same at every
    /// call; `None` once the session has ended.
    pub fn slot(self: &Arc<Self>, upstream: u64, tasks: &Tasks, now: Instant) -> Option<Arc<Slot>> {
        self.slot_heard_by(upstream, now, || Ear::new(self, upstream, tasks.clone()))
    }
}

/// A session, as the connection hears it that was opened for it at one upstream.
struct Ear {
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
        let subscriptions = session.subscriptions().at(self.upstream);
        ClientSettings { level: session.level(), subscriptions }
    }
}

impl Ear {
    fn new(session: &Arc<Session>, upstream: u64, tasks: Tasks) -> Arc<Self> {
        let session = Arc::downgrade(session);
        Arc::new(Self { session, upstream, tasks, rereading: Arc::default() })
    }

    /// The lists that are shared are read again, at most once a second however many sessions hear
    /// of it; where they stay as they are, or the session has a list of its own, what the target
    /// lists for this session is looked at. Where it is the only target, its word that they changed
    /// is passed on, once, when the menu shows what they are now; else the client hears of what
    /// changed for it.
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
        let before = feed.catalog();
        // As of now: reading the shared lists again takes a while.
        let is_opening = own_seat(session, &upstream).is_none_or(|seat| seat.is_opening());
        let (rereading, view) = (self.rereading.clone(), session.view().clone());
        let session = Arc::downgrade(session);
        self.tasks.spawn("list changed", async move {
            // Past the deadline the client hears of it all the same.
            let shown = async {
                feed.reread().await;
                view.caught_up().await;
            };
            let _ = tokio::time::timeout(REREAD, shown).await;
            rereading.fetch_and(!bit, Ordering::AcqRel);
            let Some(session) = session.upgrade() else { return };
            // What was promised is kept whatever else is known.
            if is_single {
                session.list_changed(kind);
            }
            let (Some(before), Some(after)) = (before, feed.catalog()) else { return };
            let may_differ = |kind: &&ListKind| {
                before.same_list(&after, **kind) || session.has_own(upstream.serial(), **kind)
            };
            let looked_at: Vec<ListKind> = kinds(kind).iter().filter(may_differ).copied().collect();
            if looked_at.is_empty() || (is_opening && !wait_for_turn(&session, &upstream).await) {
                return;
            }
            // As it is by now: waiting for a turn takes a while, too.
            let Some(shared) = feed.catalog() else { return };
            let mut is_told = false;
            for kind in looked_at {
                is_told |= look_at_own(&session, &upstream, &shared, kind).await;
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

/// Waits until what a session's own connection lists may be looked at. Many servers say to every session
/// that was opened a moment ago that their lists have changed: of those one is looked at after the
/// other, so that many sessions are no burst of lists. Whose turn does not come in time sees what
/// everybody does until it is told of the next change.
async fn wait_for_turn(session: &Session, upstream: &Upstream) -> bool {
    let ended = session.ended();
    tokio::select! {
        has_turn = upstream.turn_to_look() => {
            if !has_turn {
                tracing::debug!("Too many sessions were opened at once to look at what each lists.");
            }
            has_turn
        }
        () = ended.cancelled() => false,
    }
}

fn own_seat(session: &Session, upstream: &Upstream) -> Option<Arc<Seat>> {
    let slots = session.slots();
    let own = slots.iter().find(|(serial, _)| *serial == upstream.serial());
    own.and_then(|(_, slot)| slot.seat())
}

/// Whether a session's own connection lists something that its client has not seen.
async fn look_at_own(
    session: &Session,
    upstream: &Upstream,
    shared: &Catalog,
    kind: ListKind,
) -> bool {
    let Some(seat) = own_seat(session, upstream) else { return false };
    if !seat.connection().hello().capabilities.offers(kind) {
        return false;
    }
    match upstream.list(&seat, kind).await {
        Ok(Some(listed)) => session.found(upstream, shared, kind, listed),
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
