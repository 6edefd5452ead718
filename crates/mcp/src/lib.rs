//! The MCP wire: messages as bytes plus the places of the fields a gateway routes by, and how
//! the protocol's revisions differ.
//!
//! Pure: no I/O, no async, no configuration. Everything here takes bytes and gives bytes.

mod accept;
mod app;
mod batch;
mod capability;
mod client;
mod editor;
mod elicitation;
mod error;
mod escape;
mod find;
pub mod headers;
mod id;
mod level;
mod message;
mod meta;
mod method;
mod name;
mod notice;
mod page;
mod response_check;
mod revision;
mod scan;
mod shape;
mod splice;
mod sse;
mod substitute;
mod task;
mod text;
mod uri;

pub use accept::Accept;
pub use app::{item_domains, result_domains};
pub use batch::{is_batch, split_batch};
pub use capability::{InitializeResult, ServerCapabilities};
pub use client::ClientCapabilities;
pub use elicitation::{elicitation_id_spans, elicitation_message_spans};
pub use error::{ErrorCode, error_response, result_response};
pub use id::{Id, Nonce};
pub use level::Level;
pub use message::{Kind, Message, MessageError, Reference, Rewrite, Routed};
pub use meta::{FULL_NAME_META, TARGETS_META};
pub use method::{ListKind, Method};
pub use name::{NameError, NativeName, TargetName, ToolName};
pub use notice::{cancelled, list_changed};
pub use page::{Item, Page, PageError};
pub use response_check::{ResponseCheck, ResponseError};
pub use revision::Revision;
pub use scan::{MAX_DEPTH, Span};
pub use shape::{Shape, ShapedItem, Shaper, shape_result};
pub use splice::splice;
pub use sse::{Decoder, Event, SseError, encode_comment, encode_event, encode_retry};
pub use substitute::Substitute;
pub use task::{TaskPage, created_task, retain_tasks, task_id_spans};
pub use text::{Text, quoted};
pub use uri::{ResultKind, uri_spans};
