//! How an operation is done, whatever it does: may the caller, is the request whole, is the object the one that was meant, was it done before.
//!
//! The order is fixed here. A caller that may not is told so before anything of the request is read; changes
//! take turns, so that what `If-Match` compared with is what is changed; a change that was begun is ended also
//! when the client hangs up. Invariant: no operation answers an error that its row does not document.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use lintel_telemetry::AdminRefusal;

use crate::answer::Reply;
use crate::auth::Caller;
use crate::operation::{Asked, Operation};
use crate::problem::Problem;
use crate::state::Admin;
use crate::{audit, codes, extract, repeat};

/// The answer of `operation` to `request`.
pub(crate) async fn perform(
    operation: Arc<Operation>,
    admin: Arc<Admin>,
    request: Request,
) -> Response {
    let answered = answer(&operation, admin, request).await;
    if let Err(problem) = &answered {
        let documented = operation
            .errors()
            .iter()
            .any(|code| code.name == problem.code());
        debug_assert!(
            documented,
            "{} answers `{}`, which its row does not list",
            operation.id,
            problem.code()
        );
    }
    answered.map_or_else(IntoResponse::into_response, IntoResponse::into_response)
}

async fn answer(
    operation: &Arc<Operation>,
    admin: Arc<Admin>,
    request: Request,
) -> Result<Reply, Problem> {
    let (parts, body) = request.into_parts();
    // `auth` lets nobody through without a caller.
    let caller = parts.extensions.get::<Caller>().cloned();
    let caller = caller.ok_or_else(Problem::internal)?;
    let who = (caller.clone(), parts.uri.clone());
    let done = match may(operation, &caller) {
        Err(refusal) => Err(refusal),
        Ok(()) if operation.changes() => {
            let body = extract::bytes(&parts, body).await?;
            let asked = Asked {
                admin: Arc::clone(&admin),
                caller,
                parts,
                body,
            };
            to_the_end(operation, asked).await
        }
        Ok(()) => {
            let (admin, body) = (Arc::clone(&admin), Default::default());
            let asked = Asked {
                admin,
                caller,
                parts,
                body,
            };
            operation.ready(asked).await?.await
        }
    };
    match done {
        Err(refusal) if refusal.code() == codes::FORBIDDEN.name => {
            Err(forbidden(operation, &admin, &who.0, &who.1, refusal).await)
        }
        done => done,
    }
}

/// A change that is begun is ended also when the client hangs up.
async fn to_the_end(operation: &Arc<Operation>, asked: Asked) -> Result<Reply, Problem> {
    let (operation, admin) = (Arc::clone(operation), Arc::clone(&asked.admin));
    let begun = tokio::spawn(async move { change(&operation, asked).await });
    begun.await.unwrap_or_else(|panicked| {
        Err(admin.fault("control API handler panicked", &panicked.to_string()))
    })
}

/// Counts a refusal; a change that was tried without the right to it goes into the audit.
async fn forbidden(
    operation: &Operation,
    admin: &Arc<Admin>,
    caller: &Caller,
    uri: &Uri,
    refusal: Problem,
) -> Problem {
    admin.metrics.admin_refused(AdminRefusal::Forbidden);
    if !operation.changes() {
        return refusal;
    }
    let now = admin.clock.mono();
    // The audit keeps every row: who may fill it at will may fill the disk.
    if let Some(wait) = admin.denied.wait(&caller.id, now) {
        let detail = "this token tried too often what its role may not; wait before the next try";
        return Problem::new(&codes::RATE_LIMITED, detail).retry_after(wait);
    }
    admin.denied.book(&caller.id, now);
    let written = audit::denied(admin, caller, operation, uri).await;
    written.err().unwrap_or(refusal)
}

fn may(operation: &Operation, caller: &Caller) -> Result<(), Problem> {
    caller.must(operation.needs, operation.id)?;
    match &caller.tenant {
        Some(tenant) if !operation.within_tenant => {
            let detail = format!(
                "the token `{}` sees the tenant `{tenant}` alone, and {} concerns all of them; use a token without a tenant",
                caller.name, operation.id
            );
            Err(Problem::new(&codes::FORBIDDEN, detail))
        }
        _ => Ok(()),
    }
}

async fn change(operation: &Operation, asked: Asked) -> Result<Reply, Problem> {
    let admin = Arc::clone(&asked.admin);
    let _turn = match operation.in_turn {
        true => Some(admin.turn.lock().await),
        false => None,
    };
    let ready = operation.ready(asked.clone()).await?;
    let done = async {
        is_the_one_meant(operation, &asked).await?;
        ready.await
    };
    let Some(call) = repeat::key(operation, &asked)? else {
        return done.await;
    };
    // First: what a repeated call did has changed the tag that it was sent with.
    if let Some(reply) = repeat::before(&admin, &call).await? {
        return Ok(reply);
    }
    let answered = done.await;
    repeat::after(&admin, call, &answered).await?;
    answered
}

/// Refuses the change of an object that the caller may not see, and of one that `If-Match` does not name: RFC 9110 §13.1.1.
async fn is_the_one_meant(operation: &Operation, asked: &Asked) -> Result<(), Problem> {
    let wanted = asked.parts.headers.get(header::IF_MATCH);
    let scoped = operation.edits() && asked.caller.tenant.is_some();
    if wanted.is_none() && !scoped {
        return Ok(());
    }
    let mut parts = asked.parts.clone();
    parts.uri = without_query(&parts.uri);
    let twin = Asked {
        admin: Arc::clone(&asked.admin),
        caller: asked.caller.clone(),
        parts,
        body: Default::default(),
    };
    let Some(current) = operation.current(twin).await else {
        return Err(Problem::invalid(
            "this path reads no `if-match`: it changes no single object",
        ));
    };
    let current = current?.etag.unwrap_or_default();
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let wanted = wanted.to_str().unwrap_or_default();
    if names(wanted, &current) {
        return Ok(());
    }
    let detail =
        format!("the object's tag is now {current}: read it again, and change what it has become");
    Err(Problem::new(&codes::ETAG_MISMATCH, detail))
}

fn without_query(uri: &Uri) -> Uri {
    uri.path().parse().unwrap_or_default()
}

/// Whether a list of tags names `tag`; `*` names any.
fn names(list: &str, tag: &str) -> bool {
    list.trim() == "*" || list.split(',').any(|each| each.trim() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_names_those_in_it() {
        for (list, named) in [
            ("\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("W/\"a\"", false),
            ("", false),
        ] {
            assert_eq!(names(list, "\"a\""), named, "{list}");
        }
    }
}
