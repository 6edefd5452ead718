//! The gateway as the binary and the tests hold it: started, given worlds, drained.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use config::{Compiled, Limits};
use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, Semaphore};
use tracing::info;

use crate::access_log::AccessLog;
use crate::admin::TargetStatus;
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::context::{Closing, Context};
use crate::downstream::stdio;
use crate::listen::{Bound, Doors, ListenError};
use crate::metrics::Metrics;
use crate::place::{Place, PlaceError};
use crate::reload;
use crate::session::{KeyRing, Sessions};
use crate::tasks::Tasks;
use crate::upstream::{Names, Surroundings};
use crate::world::World;

/// How often idle sessions and connections are looked for, where none is over sooner.
const SWEEP: Duration = Duration::from_secs(15);
/// How often at most.
const SOONEST_SWEEP: Duration = Duration::from_secs(1);
/// How long targets have to let go of their sessions at the end, all of them together.
const GOODBYE: Duration = Duration::from_secs(10);

/// What a gateway is started with, beside its documents.
pub struct Options {
    /// Its one clock.
    pub clock: Clock,
    /// The scope of all its tasks.
    pub tasks: Tasks,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// Where each request's line goes.
    pub access_log: AccessLog,
    /// Who calls.
    pub authenticator: Authenticator,
    /// What seals session ids; replicas share it.
    pub keys: KeyRing,
    /// This replica's name among those that share the keys.
    pub replica: Arc<str>,
    /// The bounds, from the first document.
    pub limits: Limits,
    /// How clients reach it.
    pub entrance: Entrance,
}

/// How clients reach a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// By the listeners of its documents.
    Listeners,
    /// By standard input and output; no listener is opened.
    Stdio,
}

/// A running gateway.
pub struct Gateway {
    context: Arc<Context>,
    surroundings: Surroundings,
    entrance: Entrance,
    /// Only reloads and the end touch it; never a request.
    doors: Mutex<Doors>,
}

impl Gateway {
    /// A gateway without a world: it listens nowhere yet.
    pub fn start(options: Options) -> Self {
        let limits = Arc::new(options.limits);
        let surroundings = Surroundings {
            clock: options.clock.clone(),
            tasks: options.tasks.clone(),
            metrics: options.metrics.clone(),
            limits: limits.clone(),
            names: Names::new(options.tasks.clone(), options.clock.clone()),
        };
        let context = Arc::new(Context {
            world: ArcSwapOption::empty(),
            clock: options.clock,
            tasks: options.tasks,
            sessions: Sessions::new(options.keys, &limits, options.metrics.clone()),
            metrics: options.metrics,
            connections: Arc::new(Semaphore::new(limits.connections)),
            limits,
            authenticator: options.authenticator,
            access_log: options.access_log,
            replica: options.replica,
            closing: Closing::default(),
        });
        context.tasks.spawn("sweep", sweep(context.clone()));
        Self { context, surroundings, entrance: options.entrance, doors: Mutex::default() }
    }

    /// Makes `compiled` what is served. Returns when it is, with the listeners that could not be
    /// opened; everything else runs, and so does what such a listener had been before. A listener
    /// that is gone is drained by itself, within `drain.limit`.
    pub async fn apply(&self, compiled: Compiled) -> Vec<ListenError> {
        let mut doors = self.doors.lock().await;
        let previous = self.context.world.load_full();
        let mut snapshot = compiled.snapshot;
        let limit = snapshot.drain.limit.get();
        let bound = match self.entrance {
            Entrance::Listeners => {
                let previous = previous.as_ref().map(|world| world.snapshot.listeners.as_slice());
                let previous = previous.unwrap_or_default();
                doors.bind(&self.context, &mut snapshot.listeners, previous, limit).await
            }
            Entrance::Stdio => Bound::default(),
        };
        let reloaded = reload::reload(&self.surroundings, previous.as_deref(), snapshot).await;
        let addresses = self.addresses_of(&reloaded.world);
        self.context.world.store(Some(Arc::new(reloaded.world)));
        let failed = doors.serve(&self.context, &addresses, bound, limit).await;
        drop(doors);

        for federation in &reloaded.gone_backends {
            federation.retire();
        }
        if !reloaded.gone_backends.is_empty() {
            let slots = self.context.sessions.end_orphans();
            self.context.tasks.spawn("end sessions", async move {
                join_all(slots.iter().map(|slot| slot.close())).await;
            });
        }
        for upstream in reloaded.gone {
            upstream.withdraw();
            let slots = self.context.sessions.part_with(upstream.serial());
            self.context.tasks.spawn("retire", async move {
                join_all(slots.iter().map(|slot| slot.close())).await;
                upstream.retire().await;
            });
        }
        failed
    }

    fn addresses_of(&self, world: &World) -> Vec<SocketAddr> {
        match self.entrance {
            Entrance::Listeners => {
                world.snapshot.listeners.iter().map(|listener| listener.address).collect()
            }
            Entrance::Stdio => Vec::new(),
        }
    }

    /// Where it listens: each configured address with the one that was bound.
    pub async fn addresses(&self) -> Vec<(SocketAddr, SocketAddr)> {
        self.doors.lock().await.addresses()
    }

    /// How every target of every backend stands.
    pub fn targets(&self) -> Vec<TargetStatus> {
        self.context.world.load_full().map(|world| world.targets()).unwrap_or_default()
    }

    /// Serves the client at the other end of `input` and `output`, one message a line, until it
    /// leaves or `stop` says so. What its calls had begun at targets is cancelled; its upstream
    /// sessions end in the background, which [`drain`](Self::drain) waits for.
    ///
    /// # Errors
    /// Nothing serves it at `place`, or not any more.
    pub async fn serve_stdio(
        &self,
        place: &Place,
        input: impl AsyncRead + Unpin,
        output: impl AsyncWrite + Unpin,
        stop: impl Future<Output = ()>,
    ) -> Result<(), PlaceError> {
        stdio::serve(&self.context, place, input, output, stop).await
    }

    /// Stops: connections are asked to end and open streams of events are ended, then nothing is
    /// accepted any more, and what is still running after `limit` is ended with an error that
    /// says so. Sessions at targets are deleted, processes ended. `hurry` skips the waiting.
    pub async fn drain(&self, limit: Duration, hurry: impl Future<Output = ()>) {
        self.context.closing.draining.cancel();
        let doors = std::mem::take(&mut *self.doors.lock().await);
        let doors = doors.into_all();
        let ended = async {
            for door in &doors {
                door.drained().await;
            }
        };
        tokio::select! {
            () = ended => {}
            () = tokio::time::sleep(limit) => info!("`drain.limit` is over; ending what is left."),
            () = hurry => info!("Ending at once."),
        }

        // Calls that are left end with an error that says so, then their connections.
        self.context.closing.over.cancel();
        join_all(doors.iter().map(|door| door.end())).await;
        let ended = async {
            let slots = self.context.sessions.end_all();
            join_all(slots.iter().map(|slot| slot.close())).await;
            if let Some(world) = self.context.world.load_full() {
                join_all(world.upstreams.iter().map(|upstream| upstream.retire())).await;
            }
        };
        if tokio::time::timeout(GOODBYE, ended).await.is_err() {
            info!("Some targets did not let go in time.");
        }
        self.context.tasks.close().await;
    }
}

/// Closes what nobody has used for long, each in a task of its own, off every path.
async fn sweep(context: Arc<Context>) {
    let limits = context.limits.clone();
    let idle = limits.session_idle.get().min(limits.process_idle.get());
    let mut ticks = tokio::time::interval(idle.clamp(SOONEST_SWEEP, SWEEP));
    loop {
        ticks.tick().await;
        let now = context.clock.now();
        let connection_idle = limits.process_idle.get();
        let slots = context.sessions.sweep(now, context.clock.unix(), &limits);
        for slot in slots {
            context.tasks.spawn("close upstream session", async move { slot.close().await });
        }
        let Some(world) = context.world.load_full() else { continue };
        for federation in world.backends.values() {
            federation.sweep(now, limits.session_idle.get());
        }
        for upstream in &world.upstreams {
            let unused = upstream.reap(now, connection_idle);
            for seat in unused.into_iter().chain(upstream.unwanted()) {
                context.tasks.spawn("close upstream session", async move { seat.close().await });
            }
        }
    }
}

#[cfg(test)]
mod tests;
