//! `Idempotency-Key`: a call that makes something, and comes again, is answered as it was the first time.
//!
//! Decides what is remembered of an answer. A secret never is: who repeats such a call learns what it made,
//! and nothing else. <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>

use std::sync::Arc;

use axum::http::{HeaderName, Method};
use lintel_store::{Replay, ReplayKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::answer::Reply;
use crate::codes;
use crate::operation::{Asked, Operation};
use crate::problem::Problem;
use crate::state::Admin;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// What is remembered of an answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    /// The answer as it was.
    Whole {
        status: u16,
        body: String,
        etag: Option<String>,
        location: Option<String>,
    },
    /// It held the secret of this object.
    SecretOf(String),
}

/// The call as it is remembered, when it may be repeated.
///
/// # Errors
/// A problem when the key can't be one.
pub(crate) fn key(operation: &Operation, asked: &Asked) -> Result<Option<ReplayKey>, Problem> {
    let mut values = asked.parts.headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if !operation.creates() {
        // What can be repeated anyway needs none. A caller who counts on it elsewhere is told.
        return match operation.method == Method::POST {
            true => Err(Problem::invalid(
                "this path reads no `idempotency-key`: look what stands before you send the call again",
            )),
            false => Ok(None),
        };
    }
    let text = value.to_str().ok().filter(|text| {
        let sound = !text.is_empty() && text.len() <= LONGEST;
        sound && text.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let (Some(text), None) = (text, values.next()) else {
        let detail =
            "`idempotency-key` is one text of 1 to 255 printable ASCII characters without spaces";
        return Err(Problem::invalid(detail));
    };
    let mut digest = Sha256::new();
    let target = asked
        .parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    for part in [target.as_bytes(), &asked.body] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    Ok(Some(ReplayKey {
        actor: asked.caller.name.to_string(),
        operation: operation.id.to_owned(),
        key: text.to_owned(),
        digest: digest.finalize().into(),
    }))
}

/// The answer that `call` had before; none when it is made for the first time.
///
/// # Errors
/// A problem when it can't be answered so again.
pub(crate) async fn before(admin: &Arc<Admin>, call: &ReplayKey) -> Result<Option<Reply>, Problem> {
    let wanted = call.clone();
    let known = admin
        .blocking(move |admin| admin.control.replay(&wanted))
        .await?;
    match known {
        Replay::New => Ok(None),
        Replay::Answered(kept) => again(&kept).map(Some),
        Replay::Unknown => {
            let detail = "the first call with this `idempotency-key` did not end in order: look whether its object exists, and use another key to make it";
            Err(Problem::new(&codes::OUTCOME_UNKNOWN, detail))
        }
        Replay::Mismatch => {
            let detail = "this `idempotency-key` came with another request in the last 24 hours: use a new one for each thing to be made";
            Err(Problem::new(&codes::IDEMPOTENCY_MISMATCH, detail))
        }
    }
}

fn again(kept: &str) -> Result<Reply, Problem> {
    match serde_json::from_str(kept) {
        Ok(Kept::Whole {
            status,
            body,
            etag,
            location,
        }) => Ok(Reply {
            status,
            body: body.into_bytes(),
            etag,
            location,
            secret_of: None,
            replayed: true,
        }),
        Ok(Kept::SecretOf(id)) => {
            let detail = format!(
                "this call made `{id}` before; its secret was shown then and can't be shown again. If it is lost, revoke `{id}` and make another with a new `idempotency-key`"
            );
            Err(Problem::new(&codes::ALREADY_CREATED, detail))
        }
        Err(_) => Err(Problem::internal()),
    }
}

/// Remembers what `call` came to. A refusal changed nothing and is forgotten; after a fault of ours nobody
/// can say, and the call stays as begun.
pub(crate) async fn after(
    admin: &Arc<Admin>,
    call: ReplayKey,
    answered: &Result<Reply, Problem>,
) -> Result<(), Problem> {
    let kept = match answered {
        Err(problem) if problem.status().is_server_error() => return Ok(()),
        Err(_) => None,
        Ok(reply) => Some(match &reply.secret_of {
            Some(id) => Kept::SecretOf(id.clone()),
            None => Kept::Whole {
                status: reply.status,
                body: String::from_utf8_lossy(&reply.body).into_owned(),
                etag: reply.etag.clone(),
                location: reply.location.clone(),
            },
        }),
    };
    let kept = kept.map(|kept| serde_json::to_string(&kept)).transpose();
    let kept = kept.map_err(|error| admin.fault("an answer can't be kept", &error.to_string()))?;
    admin
        .blocking(move |admin| admin.control.answered(&call, kept.as_deref()))
        .await
}
