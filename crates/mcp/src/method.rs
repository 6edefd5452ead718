//! The methods of the protocol, and the four lists among them that are federated.

/// Every method and notification that the gateway acts on; everything else is `Other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the protocol's own; see `name`")]
pub enum Method {
    Initialize,
    Initialized,
    Ping,
    Discover,
    ToolsList,
    ToolsCall,
    PromptsList,
    PromptsGet,
    ResourcesList,
    ResourceTemplatesList,
    ResourcesRead,
    ResourcesSubscribe,
    ResourcesUnsubscribe,
    CompletionComplete,
    SetLevel,
    Cancelled,
    Progress,
    LogMessage,
    ToolsListChanged,
    PromptsListChanged,
    ResourcesListChanged,
    ResourcesUpdated,
    RootsListChanged,
    RootsList,
    SamplingCreateMessage,
    ElicitationCreate,
    ElicitationComplete,
    TasksGet,
    TasksResult,
    TasksList,
    TasksCancel,
    TaskStatus,
    Other,
}

/// The name of each method on the wire.
const NAMES: [(Method, &str); 32] = [
    (Method::Initialize, "initialize"),
    (Method::Initialized, "notifications/initialized"),
    (Method::Ping, "ping"),
    (Method::Discover, "server/discover"),
    (Method::ToolsList, "tools/list"),
    (Method::ToolsCall, "tools/call"),
    (Method::PromptsList, "prompts/list"),
    (Method::PromptsGet, "prompts/get"),
    (Method::ResourcesList, "resources/list"),
    (Method::ResourceTemplatesList, "resources/templates/list"),
    (Method::ResourcesRead, "resources/read"),
    (Method::ResourcesSubscribe, "resources/subscribe"),
    (Method::ResourcesUnsubscribe, "resources/unsubscribe"),
    (Method::CompletionComplete, "completion/complete"),
    (Method::SetLevel, "logging/setLevel"),
    (Method::Cancelled, "notifications/cancelled"),
    (Method::Progress, "notifications/progress"),
    (Method::LogMessage, "notifications/message"),
    (Method::ToolsListChanged, "notifications/tools/list_changed"),
    (Method::PromptsListChanged, "notifications/prompts/list_changed"),
    (Method::ResourcesListChanged, "notifications/resources/list_changed"),
    (Method::ResourcesUpdated, "notifications/resources/updated"),
    (Method::RootsListChanged, "notifications/roots/list_changed"),
    (Method::RootsList, "roots/list"),
    (Method::SamplingCreateMessage, "sampling/createMessage"),
    (Method::ElicitationCreate, "elicitation/create"),
    (Method::ElicitationComplete, "notifications/elicitation/complete"),
    (Method::TasksGet, "tasks/get"),
    (Method::TasksResult, "tasks/result"),
    (Method::TasksList, "tasks/list"),
    (Method::TasksCancel, "tasks/cancel"),
    (Method::TaskStatus, "notifications/tasks/status"),
];

impl Method {
    /// The method of that name, to the letter.
    pub fn from_name(name: &str) -> Self {
        let known = NAMES.iter().find(|(_, known)| *known == name);
        known.map_or(Self::Other, |(method, _)| *method)
    }

    /// Its name on the wire; `None` for `Other`.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(method, _)| *method == self).map(|(_, name)| *name)
    }

    /// Whether servers ask it of clients, which answer what they have declared
    /// (see `ClientCapabilities::answers`). `ping` and tasks go both ways and are not meant.
    pub fn is_asked_of_clients(self) -> bool {
        matches!(self, Self::RootsList | Self::SamplingCreateMessage | Self::ElicitationCreate)
    }

    /// The list it asks for.
    pub fn list(self) -> Option<ListKind> {
        ListKind::ALL.into_iter().find(|kind| kind.method() == self)
    }
}

/// The four lists that are federated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the protocol's own; see `field`")]
pub enum ListKind {
    Tools,
    Prompts,
    Resources,
    ResourceTemplates,
}

impl ListKind {
    /// All of them, in the order in which they are drained.
    pub const ALL: [Self; 4] =
        [Self::Tools, Self::Prompts, Self::Resources, Self::ResourceTemplates];

    /// The request that asks for it.
    pub fn method(self) -> Method {
        match self {
            Self::Tools => Method::ToolsList,
            Self::Prompts => Method::PromptsList,
            Self::Resources => Method::ResourcesList,
            Self::ResourceTemplates => Method::ResourceTemplatesList,
        }
    }

    /// The member of the result that holds the items.
    pub fn field(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::ResourceTemplates => "resourceTemplates",
        }
    }

    /// The member of an item by which it is called, got or read.
    pub fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::ResourceTemplates => "uriTemplate",
        }
    }

    /// The notification that it changed; both kinds of resources share one.
    pub fn changed(self) -> Method {
        match self {
            Self::Tools => Method::ToolsListChanged,
            Self::Prompts => Method::PromptsListChanged,
            Self::Resources | Self::ResourceTemplates => Method::ResourcesListChanged,
        }
    }
}

#[cfg(test)]
mod tests;
