//! Who may use the control API: whoever shows a token that is somebody's.
//!
//! Runs before routing inside `/api/v1`, so that a stranger can't tell an unknown path from a known
//! one. Puts the [`Caller`] on the request; permissions and the audit take it from there. Says in
//! public only what whoever shows the token knows already.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lintel_store::StoreError;
use lintel_telemetry::AdminRefusal;
use lintel_types::Error;

use crate::codes;
use crate::problem::Problem;
use crate::registry::Found;
use crate::roles::{Permission, Role};
use crate::state::Admin;
use crate::words::Name;

/// Who asks: the token that was shown.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The token's id.
    pub(crate) id: Arc<str>,
    /// The token's name: the audit's actor.
    pub(crate) name: Arc<str>,
    /// What it may do.
    pub(crate) role: Role,
    /// The one tenant that it sees; none: all.
    pub(crate) tenant: Option<Arc<str>>,
}

impl Caller {
    /// Refuses `what` when the caller's role has not `permission`.
    ///
    /// # Errors
    /// A problem that names the permission and the roles that have it.
    pub(crate) fn must(&self, permission: Permission, what: &str) -> Result<(), Problem> {
        if self.role.may(permission) {
            return Ok(());
        }
        let roles: Vec<&str> = permission.roles().iter().map(|role| role.name()).collect();
        let detail = format!(
            "the token `{}` has the role {}; {what} needs the permission `{}`, which these roles have: {}",
            self.name,
            self.role.name(),
            permission.name(),
            roles.join(", "),
        );
        Err(Problem::new(&codes::FORBIDDEN, detail))
    }
}

impl Caller {
    /// The tenant to look at when `asked` was asked for: the caller's own, if it has one.
    ///
    /// # Errors
    /// A problem when another one was asked for. It says the same of one that exists and one that does not.
    pub(crate) fn narrowed(&self, asked: Option<Name>) -> Result<Option<String>, Problem> {
        let asked = asked.map(|Name(name)| name);
        let Some(own) = &self.tenant else {
            return Ok(asked);
        };
        match asked {
            Some(other) if *other != **own => {
                let detail = format!("the token `{}` sees the tenant `{own}` alone", self.name);
                Err(Problem::new(&codes::FORBIDDEN, detail))
            }
            _ => Ok(Some(own.to_string())),
        }
    }

    /// Refuses to show what belongs to `tenant`, as if it did not exist, to whom it does not concern.
    ///
    /// # Errors
    /// The problem that answers the name of nothing.
    pub(crate) fn sees(
        &self,
        what: &'static str,
        name: &str,
        tenant: Option<&str>,
    ) -> Result<(), Problem> {
        match &self.tenant {
            Some(own) if tenant != Some(own) => {
                let name = name.to_owned();
                Err(Problem::from(Error::from(StoreError::NotFound {
                    what,
                    name,
                })))
            }
            _ => Ok(()),
        }
    }
}

/// Lets a request with a good token pass; answers 401 to the others and 429 to a peer that guesses.
pub(crate) async fn require(
    State(admin): State<Arc<Admin>>,
    mut request: Request,
    next: Next,
) -> Response {
    match caller(&admin, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn caller(admin: &Arc<Admin>, request: &Request) -> Result<Caller, Problem> {
    let (peer, now) = (peer(request), admin.clock.mono());
    if let Some(wait) = admin.throttle.wait(peer, now) {
        admin.metrics.admin_refused(AdminRefusal::Throttled);
        let detail = "too many wrong tokens came from this address, or from everywhere; wait before the next try";
        return Err(Problem::new(&codes::RATE_LIMITED, detail).retry_after(wait));
    }
    let Some(presented) = bearer(request) else {
        admin.metrics.admin_refused(AdminRefusal::Missing);
        let detail = "send `Authorization: Bearer` and a token: one that `lintel token create` made, or the one that `lintel serve` takes from LINTEL_ADMIN_TOKEN or keeps in admin.token of its store";
        return Err(Problem::new(&codes::MISSING_TOKEN, detail));
    };
    match admin.tokens.find(presented, admin.clock.wall()) {
        Found::Caller(caller, note) => {
            admin.throttle.passed(peer, now);
            if let Some(id) = note {
                admin.note_use(id);
            }
            Ok(caller)
        }
        Found::Over(why) => {
            // Who shows it held it once: no guess, so it is not slowed down.
            admin.metrics.admin_refused(AdminRefusal::Over);
            Err(Problem::new(&codes::WRONG_TOKEN, why))
        }
        Found::Nobody => {
            admin.throttle.failed(peer, now);
            admin.metrics.admin_refused(AdminRefusal::Wrong);
            admin.refused(peer);
            Err(Problem::new(&codes::WRONG_TOKEN, "this token is nobody's"))
        }
    }
}

/// The peer's address. A request that came over no network (a Unix socket's, a test's) has none, and counts as one peer.
fn peer(request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| {
        address.ip()
    })
}

fn bearer(request: &Request) -> Option<&str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    let (only, more) = (values.next()?, values.next());
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    (more.is_none() && scheme.eq_ignore_ascii_case("bearer"))
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[track_caller]
    fn check(values: &[&str], want: Option<&str>) {
        let mut request = Request::builder();
        for value in values {
            request = request.header("authorization", *value);
        }
        assert_eq!(
            bearer(&request.body(Body::empty()).unwrap()),
            want,
            "{values:?}"
        );
    }

    #[test]
    fn exactly_one_bearer_token_is_read() {
        check(&["Bearer t"], Some("t"));
        check(&["bearer  t "], Some("t"));
        check(&[], None);
        check(&["Bearer"], None);
        check(&["Bearer "], None);
        check(&["Basic dDp0"], None);
        check(&["Bearer t", "Bearer u"], None);
    }
}
