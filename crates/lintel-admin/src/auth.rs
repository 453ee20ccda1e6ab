//! Who may use the control API: whoever holds the admin token.
//!
//! Runs before routing inside `/api/v1`, so that a stranger can't tell an unknown path from a known
//! one. Puts the [`Caller`] on the request; permissions and the audit take it from there.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::codes;
use crate::problem::Problem;
use crate::roles::{Permission, Role};
use crate::state::Admin;

/// Who asks: the token that was shown.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The token's name: the audit's actor.
    pub(crate) name: Arc<str>,
    /// What it may do.
    pub(crate) role: Role,
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

/// Lets a request with the admin token pass; answers 401 to the others and 429 to a peer that guesses.
pub(crate) async fn require(
    State(admin): State<Arc<Admin>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = peer(&request);
    let now = admin.clock.mono();
    if let Some(wait) = admin.throttle.wait(peer, now) {
        let detail = "too many wrong admin tokens came from this address; wait before the next try";
        return Problem::new(&codes::RATE_LIMITED, detail)
            .retry_after(wait)
            .into_response();
    }
    let Some(presented) = bearer(&request) else {
        let detail = "send `Authorization: Bearer` and the admin token; `lintel serve` takes it from LINTEL_ADMIN_TOKEN or keeps it in admin.token of its store";
        return Problem::new(&codes::MISSING_TOKEN, detail).into_response();
    };
    let Some(name) = admin.token.recognise(presented) else {
        admin.throttle.failed(peer, now);
        admin.refused(peer);
        return Problem::new(&codes::WRONG_TOKEN, "this is not the admin token").into_response();
    };
    let role = Role::Owner;
    request.extensions_mut().insert(Caller { name, role });
    next.run(request).await
}

/// The peer's address. A request that did not come over a socket (a test's) has none, and counts as one peer.
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
