//! [`Cleared`]: proof that something went through the guard stage, or was declared not to need it.

use lintel_types::Level;

/// How something came to be cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clearance {
    /// Every guard of the chain has judged it; the highest level that was reached.
    Inspected(Level),
    /// The route's declared policy lets it pass unseen.
    Uninspected,
    /// Lintel wrote it itself: an error, a model list.
    Ours,
}

/// A route's declaration that its bytes pass unseen. Made from configuration, nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uninspected {
    _declared: (),
}

impl Uninspected {
    /// The declaration `guards: none` of a route.
    pub fn declared_by_route() -> Self {
        Self { _declared: () }
    }
}

/// A value that may be written to a client or a provider. Only the guard stage makes one:
///
/// ```compile_fail,E0451
/// use lintel_guard::{Clearance, Cleared};
/// let forged = Cleared { value: "unseen", clearance: Clearance::Ours };
/// ```
///
/// ```compile_fail,E0624
/// use lintel_guard::{Clearance, Cleared};
/// let forged = Cleared::new("unseen", Clearance::Ours);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared<T> {
    value: T,
    clearance: Clearance,
}

impl<T> Cleared<T> {
    pub(crate) fn new(value: T, clearance: Clearance) -> Self {
        Self { value, clearance }
    }

    /// Clears bytes that the route's policy lets pass unseen.
    pub fn uninspected(value: T, _policy: Uninspected) -> Self {
        Self::new(value, Clearance::Uninspected)
    }

    /// The value, to look at.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The value, to write.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// How it was cleared.
    pub fn clearance(&self) -> Clearance {
        self.clearance
    }
}

impl Cleared<bytes::Bytes> {
    /// The same bytes, with `what` held until the last of them has been written.
    pub fn keeping(self, what: impl Send + 'static) -> Self {
        let owner = Keeping {
            bytes: self.value,
            _what: std::sync::Mutex::new(what),
        };
        Self::new(bytes::Bytes::from_owner(owner), self.clearance)
    }

    /// Clears an error body or event in a client's dialect: Lintel's own words, or a provider's that were scrubbed.
    pub fn error_text(text: bytes::Bytes) -> Self {
        Self::new(text, Clearance::Ours)
    }

    /// Clears a document about Lintel itself, such as the list of models.
    pub fn own_document(text: bytes::Bytes) -> Self {
        Self::new(text, Clearance::Ours)
    }
}

impl Cleared<lintel_types::Rendered> {
    /// Clears a request that Lintel makes for itself, such as one for a token: nothing of a client is in it.
    pub fn own_request(request: lintel_types::Rendered) -> Self {
        Self::new(request, Clearance::Ours)
    }
}

/// Bytes, and something that lives as long as they do. The mutex is never locked: it only makes it shareable.
struct Keeping<W> {
    bytes: bytes::Bytes,
    _what: std::sync::Mutex<W>,
}

impl<W> AsRef<[u8]> for Keeping<W> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
