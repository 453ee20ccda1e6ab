//! What one operation of the control API is: a row of [`crate::operations`], and the typed call that its handler gets.
//!
//! A handler is a plain function from a [`Call`] to an answer. Its signature is all that the row needs: what
//! is parsed (path, query, body) and what is shown (the answer) are taken from it for the router and for the
//! OpenAPI document alike. Knows no path and no policy.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::Method;
use axum::http::request::Parts;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use crate::answer::{Answer, Reply};
use crate::auth::Caller;
use crate::codes::{self, Code};
use crate::extract::{self, Body};
use crate::problem::Problem;
use crate::roles::Permission;
use crate::state::Admin;

/// Under which path everything stands.
pub(crate) const BASE: &str = "/api/v1";

/// What a handler gets: who asks, and what was asked, read and checked.
pub(crate) struct Call<P = Nothing, Q = Nothing, B = NoBody> {
    pub(crate) admin: Arc<Admin>,
    pub(crate) caller: Caller,
    pub(crate) path: P,
    pub(crate) query: Q,
    pub(crate) body: B,
}

pub(crate) use crate::extract::{NoBody, Nothing};

/// A request whose caller was let in, not yet read.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) admin: Arc<Admin>,
    pub(crate) caller: Caller,
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
}

type Later<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;
/// What reads a request, and gives what will answer it.
type Run = Arc<dyn Fn(Asked) -> Later<Later<Reply>> + Send + Sync>;
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One operation.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// Under [`BASE`], with parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) needs: Permission,
    /// Errors of its own, beside those that follow from what it is.
    own: Vec<&'static Code>,
    pub(crate) shape: Shape,
    run: Run,
    /// Reads the object that this operation changes: the `GET` of the object's path.
    current: Option<Run>,
    /// Whether it waits for the other changes to end. Not so for what may take long.
    pub(crate) in_turn: bool,
    /// Whether a token of one tenant may use it: its handler shows and changes what is that tenant's alone.
    pub(crate) within_tenant: bool,
}

/// What goes in and comes out, as schemas.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) path: SchemaOf,
    pub(crate) query: SchemaOf,
    /// None when no body is read.
    pub(crate) body: Option<SchemaOf>,
    pub(crate) answer: SchemaOf,
    pub(crate) status: u16,
    pub(crate) tagged: bool,
    pub(crate) creates: bool,
}

impl Operation {
    /// The operation `id` of `method` and `path`, which needs the permission `needs` and is done by `handler`.
    pub(crate) fn new<P, Q, B, R, F, W>(
        method: Method,
        path: &'static str,
        (id, summary): (&'static str, &'static str),
        needs: Permission,
        handler: F,
    ) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        Q: DeserializeOwned + JsonSchema + Send + 'static,
        B: Body,
        R: Answer,
        F: Fn(Call<P, Q, B>) -> W + Copy + Send + Sync + 'static,
        W: Future<Output = Result<R, Problem>> + Send + 'static,
    {
        let run = move |asked: Asked| -> Later<Later<Reply>> {
            Box::pin(async move {
                let admin = Arc::clone(&asked.admin);
                // A future does nothing until it is awaited: the handler has its call, and waits.
                let answering = handler(read(path, asked).await?);
                Ok(Box::pin(async move { shown(&admin, answering.await?) }) as Later<Reply>)
            })
        };
        Self {
            in_turn: method != Method::GET,
            method,
            path,
            id,
            summary,
            needs,
            own: Vec::new(),
            shape: Shape {
                path: P::json_schema,
                query: Q::json_schema,
                body: B::schema(),
                answer: R::schema,
                status: R::STATUS,
                tagged: R::TAGGED,
                creates: R::CREATES,
            },
            run: Arc::new(run),
            current: None,
            within_tenant: false,
        }
    }

    /// With errors of its own.
    pub(crate) fn or(mut self, codes: &[&'static Code]) -> Self {
        self.own.extend(codes);
        self
    }

    /// Runs beside other changes: what may take long must not hold them up.
    pub(crate) fn beside_others(mut self) -> Self {
        self.in_turn = false;
        self
    }

    /// Open to tokens of one tenant: its handler asks [`Caller::narrowed`] or [`Caller::sees`].
    pub(crate) fn within_tenant(mut self) -> Self {
        self.within_tenant = true;
        self
    }

    /// With the `GET` in `all` of the object that this changes, if it changes one.
    pub(crate) fn with_twin(mut self, all: &[Operation]) -> Self {
        let object = self.object();
        let twin = |other: &&Operation| Some(other.path) == object && other.method == Method::GET;
        self.current = all.iter().find(twin).map(|twin| Arc::clone(&twin.run));
        self
    }

    /// The path of the one object that it changes: `/keys/{id}` for `PATCH /keys/{id}` and for `POST /keys/{id}/rotate`.
    fn object(&self) -> Option<&'static str> {
        let end = self.path.rfind('}').filter(|_| self.changes())?;
        self.path.get(..=end)
    }

    /// Whether the object that it changes can be read first, and what reads it is there.
    #[cfg(test)]
    pub(crate) fn has_twin(&self) -> bool {
        self.current.is_some()
    }

    /// Whether it can change something.
    pub(crate) fn changes(&self) -> bool {
        self.method != Method::GET
    }

    /// Whether it changes one object that stands, and so reads `If-Match`.
    pub(crate) fn edits(&self) -> bool {
        self.object().is_some()
    }

    /// Whether it makes an object, and so reads `Idempotency-Key`.
    pub(crate) fn creates(&self) -> bool {
        self.shape.creates
    }

    /// Errors of its own.
    #[cfg(test)]
    pub(crate) fn own(&self) -> &[&'static Code] {
        &self.own
    }

    /// Every error that it may answer, by status.
    pub(crate) fn errors(&self) -> Vec<&'static Code> {
        let mut all: Vec<&'static Code> = codes::COMMON.to_vec();
        all.extend(&self.own);
        if self.path.contains('{') {
            all.push(&codes::NOT_FOUND);
        }
        if self.changes() {
            all.extend([&codes::REQUEST_TIMEOUT, &codes::TOO_LARGE]);
        }
        if self.shape.body.is_some() {
            all.push(&codes::UNSUPPORTED_MEDIA);
        }
        if self.edits() {
            all.push(&codes::ETAG_MISMATCH);
        }
        if self.creates() {
            all.extend([
                &codes::ALREADY_CREATED,
                &codes::OUTCOME_UNKNOWN,
                &codes::IDEMPOTENCY_MISMATCH,
            ]);
        }
        all.sort_by_key(|code| (code.status, code.name));
        all.dedup();
        all
    }

    /// Reads `asked`, and gives what will do it: nothing is done before that is awaited.
    ///
    /// # Errors
    /// A problem that names what can't be read.
    pub(crate) async fn ready(&self, asked: Asked) -> Result<Later<Reply>, Problem> {
        (self.run)(asked).await
    }

    /// The object that it would change, as `GET` shows it.
    pub(crate) async fn current(&self, asked: Asked) -> Option<Result<Reply, Problem>> {
        let run = self.current.as_ref()?;
        Some(match run(asked).await {
            Ok(answering) => answering.await,
            Err(problem) => Err(problem),
        })
    }
}

fn shown<R: Answer>(admin: &Admin, answer: R) -> Result<Reply, Problem> {
    let written = answer.reply();
    written.map_err(|error| admin.fault("an answer can't be written", &error.to_string()))
}

async fn read<P, Q, B>(path: &'static str, asked: Asked) -> Result<Call<P, Q, B>, Problem>
where
    P: DeserializeOwned + Send + 'static,
    Q: DeserializeOwned,
    B: Body,
{
    let Asked {
        admin,
        caller,
        mut parts,
        body,
    } = asked;
    Ok(Call {
        path: extract::path(path, &mut parts).await?,
        query: extract::query(&parts)?,
        body: B::read(&parts, &body)?,
        admin,
        caller,
    })
}
