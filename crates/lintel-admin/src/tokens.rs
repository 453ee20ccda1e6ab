//! `/api/v1/tokens`: makes, lists, shows and revokes the control API's own tokens.
//!
//! Decides who may hand out what: only roles that may no more than the caller's, and from a tenant's token
//! only tokens of that tenant. A token's secret leaves this process once. The token that the process was
//! started with is not among them: it can't be revoked, so nobody can lock everybody out.

use lintel_store::{NewToken, TokenRow};
use lintel_types::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Created, Fact, One};
use crate::auth::Caller;
use crate::codes;
use crate::extract::{ById, JsonBody};
use crate::instant::Direction;
use crate::mint;
use crate::operation::{Call, Nothing};
use crate::page::{self, Order, Page};
use crate::problem::Problem;
use crate::roles::{Permission, Role};
use crate::words::{Moment, Name, When};

/// What a token's text begins with.
const PREFIX: &str = "at_";

/// A token to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewToken")]
pub(crate) struct Wanted {
    /// What the audit calls its holder. Given once, and never again.
    name: Name,
    /// What it may do: no more than who makes it.
    role: Role,
    /// The one tenant that it sees and changes; absent: all.
    tenant: Option<Name>,
    /// When it stops being valid; a span counts from now.
    expires: Option<When>,
}

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TokenState")]
pub(crate) enum State {
    /// Lets its holder in.
    Active,
    /// Refused for good.
    Revoked,
    /// Its time is over.
    Expired,
}

/// A token as it is shown: everything but its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(crate) struct Shown {
    /// `tok_` and the first 16 hex digits of the SHA-256 of the token's text.
    id: String,
    name: Name,
    role: Role,
    /// Null when it sees every tenant.
    tenant: Option<Name>,
    state: State,
    created: Moment,
    /// The name of the token that made it.
    created_by: String,
    expires: Option<Moment>,
    /// To the minute; null when it never was.
    last_used: Option<Moment>,
    revoked: Option<Moment>,
}

/// A token that was just made: the only answer with its secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedToken")]
pub(crate) struct WithSecret {
    /// The token's text, `at_…`: shown this once.
    token: String,
    #[serde(flatten)]
    shown: Shown,
}

/// Whose token was shown, and what it may do.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whoami {
    /// `bootstrap` for the token that the process was started with.
    id: String,
    name: String,
    role: Role,
    tenant: Option<String>,
    /// What the role may do.
    permissions: Vec<&'static str>,
}

/// Which tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Only of this role.
    role: Option<Role>,
    /// Only those that stand so.
    state: Option<State>,
    /// Only those of this tenant.
    tenant: Option<Name>,
    /// Go on after this: the `next` of the page before.
    after: Option<String>,
    /// At most this many; 100 when absent.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u16>,
}

pub(crate) async fn create(
    call: Call<Nothing, Nothing, JsonBody<Wanted>>,
) -> Result<Created<WithSecret>, Problem> {
    let (admin, caller, JsonBody(wanted)) = (call.admin, call.caller, call.body);
    may_grant(&caller, wanted.role)?;
    let now = admin.clock.wall();
    let expires = wanted
        .expires
        .map(|when| when.at("expires", now, Direction::Future));
    let new = NewToken {
        name: wanted.name.0,
        role: wanted.role.name().to_owned(),
        tenant: caller.narrowed(wanted.tenant)?,
        expires: expires.transpose()?,
    };
    let secret = mint::random_text(PREFIX)
        .map_err(|error| admin.fault("can't mint a token", &error.to_string()))?;
    let hash = mint::hash(&secret);
    let row = admin
        .blocking(move |admin| {
            let row = admin.control.create_token(&new, hash, &caller.name)?;
            admin.tokens.reread()?;
            Ok(row)
        })
        .await?;
    let (id, shown) = (row.id.clone(), Shown::of(row.clone(), now));
    let body = WithSecret {
        token: secret,
        shown: Shown::of(row, now),
    };
    Ok(Created::new("/tokens", &id, &shown, body).with_secret_of(&id))
}

pub(crate) async fn list(call: Call<Nothing, Filter>) -> Result<Page<Shown>, Problem> {
    let (admin, filter) = (call.admin, call.query);
    let (now, limit) = (admin.clock.wall(), page::limit(filter.limit)?);
    let tenant = call.caller.narrowed(filter.tenant)?;
    let rows = admin
        .blocking(move |admin| admin.control.tokens(tenant.as_deref()))
        .await?;
    let shown = rows
        .into_iter()
        .map(|row| Shown::of(row, now))
        .filter(|token| filter.state.is_none_or(|state| token.state == state))
        .filter(|token| filter.role.is_none_or(|role| token.role == role));
    page::cut(
        shown.collect(),
        filter.after.as_deref(),
        limit,
        Order::Ascending,
        |token| {
            // Oldest first, as the store sorts them.
            format!("{:020}/{}", token.created.0.as_micros(), token.id)
        },
    )
}

pub(crate) async fn one(call: Call<ById>) -> Result<One<Shown>, Problem> {
    let (admin, ById { id }) = (call.admin, call.path);
    let now = admin.clock.wall();
    let row = admin
        .blocking(move |admin| admin.control.token(&id))
        .await?;
    call.caller.sees("token", &row.id, row.tenant.as_deref())?;
    Ok(One(Shown::of(row, now)))
}

/// Idempotent: a revoked token is answered as it stands.
pub(crate) async fn revoke(call: Call<ById>) -> Result<One<Shown>, Problem> {
    let (admin, caller, ById { id }) = (call.admin, call.caller, call.path);
    let now = admin.clock.wall();
    let wanted = id.clone();
    let row = admin
        .blocking(move |admin| admin.control.token(&wanted))
        .await?;
    may_grant(&caller, role(&row))?;
    let row = admin
        .blocking(move |admin| {
            let row = admin.control.revoke_token(&id, &caller.name)?;
            // Also when it was revoked before: a reading that failed then is made good now.
            admin.tokens.reread()?;
            Ok(row)
        })
        .await?;
    Ok(One(Shown::of(row, now)))
}

pub(crate) async fn me(call: Call) -> Result<Fact<Whoami>, Problem> {
    let Caller {
        id,
        name,
        role,
        tenant,
    } = call.caller;
    let permissions = Permission::all().filter(|each| role.may(*each));
    Ok(Fact(Whoami {
        id: id.to_string(),
        name: name.to_string(),
        role,
        tenant: tenant.map(|tenant| tenant.to_string()),
        permissions: permissions.map(Permission::name).collect(),
    }))
}

fn may_grant(caller: &Caller, role: Role) -> Result<(), Problem> {
    if caller.role.may_grant(role) {
        return Ok(());
    }
    let detail = format!(
        "the token `{}` has the role {}, which can't make or revoke tokens of the role {}: it may do more",
        caller.name,
        caller.role.name(),
        role.name(),
    );
    Err(Problem::new(&codes::FORBIDDEN, detail))
}

/// A role that this version does not know is taken for the mightiest: only owners touch such a token.
fn role(row: &TokenRow) -> Role {
    Role::by_name(&row.role).unwrap_or(Role::Owner)
}

impl Shown {
    fn of(row: TokenRow, now: Timestamp) -> Self {
        let over = row.expires.is_some_and(|expires| expires <= now);
        let state = match (row.revoked, over) {
            (Some(_), _) => State::Revoked,
            (None, true) => State::Expired,
            (None, false) => State::Active,
        };
        Self {
            role: role(&row),
            id: row.id,
            name: Name(row.name),
            tenant: row.tenant.map(Name),
            state,
            created: Moment(row.made),
            created_by: row.made_by,
            expires: row.expires.map(Moment),
            last_used: row.last_used.map(Moment),
            revoked: row.revoked.map(Moment),
        }
    }
}
