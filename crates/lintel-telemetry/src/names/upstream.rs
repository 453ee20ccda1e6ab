//! Names of what is counted about connections to providers.

use super::{Family, FamilyKind};

family!(
    UPSTREAM,
    "lintel_upstream_connections",
    Gauge,
    None,
    ["provider"],
    "Connections to providers open now, in use or kept."
);
family!(
    UPSTREAM_OPENED,
    "lintel_upstream_connections_opened",
    Counter,
    None,
    ["provider"],
    "Connections to providers opened, for calls and to be kept warm."
);
family!(
    UPSTREAM_REUSED,
    "lintel_upstream_connections_reused",
    Counter,
    None,
    ["provider"],
    "Times that a connection to a provider was open already when one was wanted."
);
family!(
    UPSTREAM_FAILED,
    "lintel_upstream_connections_failed",
    Counter,
    None,
    ["provider", "class"],
    "Connections to providers that could not be opened, by the failure's class."
);
