//! Every error code of the control API: its status and when it is answered.
//!
//! A code is a contract: scripts decide on it. The table in `docs/api.md` and the errors of the OpenAPI
//! document are made from this list; a row of [`crate::operations`] names those that are its own.

/// One error code.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The HTTP status that it comes with.
    pub status: u16,
    /// The stable name.
    pub name: &'static str,
    /// When it is answered, as a sentence without its end.
    pub when: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $status:literal $name:literal: $when:literal;)*) => {
        $(#[doc = $when] pub(crate) const $constant: Code = Code { status: $status, name: $name, when: $when };)*
        /// Every code, by status.
        pub(crate) const ALL: &[&Code] = &[$(&$constant),*];
    };
}

codes! {
    INVALID_REQUEST = 400 "invalid_request": "path, query, header or body can't be read: an unknown field, a limit out of range, a time that is none";
    INVALID_VALUE = 400 "invalid_value": "a name or value that can be read and is not taken: the text says why";
    MISSING_TOKEN = 401 "missing_token": "no `Authorization: Bearer` token";
    WRONG_TOKEN = 401 "wrong_token": "a token that nobody has, or that is revoked or over";
    FORBIDDEN = 403 "forbidden": "the token's role may not do this: the text names the permission and the roles that have it";
    NOT_FOUND = 404 "not_found": "no such path or object, or none that this token may know of";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed": "the `allow` header says what the path takes";
    REQUEST_TIMEOUT = 408 "request_timeout": "the body took more than ten seconds";
    ALREADY_EXISTS = 409 "already_exists": "an object of that name stands already";
    ALREADY_CREATED = 409 "already_created": "this `Idempotency-Key` made an object whose secret was shown then and can't be shown again: the text names it";
    OUTCOME_UNKNOWN = 409 "outcome_unknown": "the first call with this `Idempotency-Key` did not end in order: look whether its object exists, then use another key";
    REVOKED_KEY = 409 "revoked_key": "a revoked key can't be changed";
    CONFLICT = 409 "conflict": "the object's state forbids it: the text says what to do first";
    ALREADY_RUNNING = 409 "already_running": "a backup is being made: wait until it has ended";
    RELOAD_FAILED = 409 "reload_failed": "the configuration is sound and could not be put in force";
    ETAG_MISMATCH = 412 "etag_mismatch": "the object is not, or no longer, the one that `If-Match` names: read it again";
    PLAN_OUTDATED = 412 "plan_outdated": "tenants, projects or keys have changed since the plan of these files was made: plan again";
    TOO_LARGE = 413 "too_large": "the body is over 1 MiB";
    UNSUPPORTED_MEDIA = 415 "unsupported_media": "the body is not `application/json`";
    INVALID_CONFIG = 422 "invalid_config": "the configuration has problems, listed in `problems`; nothing was changed";
    IDEMPOTENCY_MISMATCH = 422 "idempotency_mismatch": "this `Idempotency-Key` came with another request in the last 24 hours";
    RATE_LIMITED = 429 "rate_limited": "too many wrong tokens, or too many changes that the role may not make; `retry-after` says when";
    INTERNAL = 500 "internal": "a fault of Lintel's own; its log says which";
    STORE_FAILED = 500 "store_failed": "the store failed; Lintel's log says how";
    LEDGER_UNAVAILABLE = 503 "ledger_unavailable": "the store can't be written now";
    UPGRADE_UNDER_WAY = 503 "upgrade_under_way": "a new process takes over and makes the changes: try again in a moment";
}

/// What every operation may answer, whatever it does.
pub(crate) const COMMON: &[&Code] = &[
    &INVALID_REQUEST,
    &INVALID_VALUE,
    &MISSING_TOKEN,
    &WRONG_TOKEN,
    &FORBIDDEN,
    &RATE_LIMITED,
    &INTERNAL,
    &STORE_FAILED,
    &LEDGER_UNAVAILABLE,
    &UPGRADE_UNDER_WAY,
];

/// The code of this name.
pub(crate) fn named(name: &str) -> Option<&'static Code> {
    ALL.iter().find(|code| code.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_statuses_go_up() {
        for (at, code) in ALL.iter().enumerate() {
            assert_eq!(named(code.name), Some(*code), "{} twice", code.name);
            assert!(!code.when.ends_with('.'), "{}", code.name);
            if let Some(before) = at.checked_sub(1).and_then(|at| ALL.get(at)) {
                assert!(before.status <= code.status, "{}", code.name);
            }
        }
    }
}
