//! `POST /api/v1/apply`: makes what files declare stand, or tells what that would change.
//!
//! One request, one transaction: all of it or nothing. Secrets come as hashes; a key that is made without one gets its
//! text here, told once. Whoever planned sends the plan's `state` along, and is refused when it has moved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lintel_config::apply::raw::{HeaderWord, PriorityWord};
use lintel_store::{ApplyHow, Desired, DesiredKey, KeySpec, Plan, StoreError};
use lintel_types::{Caps, Priority, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::Fact;
use crate::codes;
use crate::extract::JsonBody;
use crate::instant::{self, Direction};
use crate::key_view::{access, headers, shared};
use crate::mint;
use crate::operation::{Call, Nothing};
use crate::problem::Problem;
use crate::words::{Line, When};

/// Names with a pattern can't be keys of a schema's map; the store refuses what is no name.
type ByName<T> = BTreeMap<String, T>;

/// What files declare, and how it is applied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Apply")]
pub(crate) struct Wanted {
    /// Keys by tenant, project and name.
    tenants: ByName<ByName<ByName<WantedKey>>>,
    /// Delete what files had made and no more declare.
    #[serde(default)]
    prune: bool,
    /// Change nothing, and tell what would.
    #[serde(default)]
    dry_run: bool,
    /// The `state` of the plan that is carried out: refused when something has changed since.
    state: Option<String>,
}

/// Seconds that a former secret may stay accepted: a year.
const LONGEST_OVERLAP: u64 = 31_536_000;

/// A key that files declare.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DeclaredKey")]
pub(crate) struct WantedKey {
    /// SHA-256 of the text that is accepted, as 64 hexadecimal digits; absent: a text is made with the key.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    sha256: Option<String>,
    /// Seconds for which a former secret stays accepted when `sha256` is another one; a day when absent.
    #[schemars(range(max = LONGEST_OVERLAP))]
    overlap_seconds: Option<u64>,
    owner: Option<Line>,
    description: Option<Line>,
    routes: Option<Vec<String>>,
    #[serde(default)]
    direct: bool,
    #[serde(default)]
    expose_targets: bool,
    /// A time, not a span: the same at every apply.
    expires: Option<When>,
    #[serde(default)]
    disabled: bool,
    #[schemars(range(min = 1))]
    max_body: Option<u64>,
    #[schemars(range(min = 1))]
    max_in_flight: Option<u32>,
    models: Option<Vec<String>>,
    priority: Option<PriorityWord>,
    headers: Option<Vec<HeaderWord>>,
    feature: Option<String>,
}

/// What applying changed, or would.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Applied {
    /// Whether it was done, and not only planned.
    applied: bool,
    /// Names the state that this was planned for.
    state: String,
    /// In the order of execution.
    changes: Vec<Change>,
    /// Texts of keys that were made without one: shown this once.
    secrets: Vec<Minted>,
}

/// One change.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlannedChange")]
pub(crate) struct Change {
    /// `create`, `update`, `delete`, or `keep` for what is left as it is though the files say otherwise.
    action: &'static str,
    /// `tenant`, `project` or `key`.
    kind: &'static str,
    /// `tenant`, `tenant/project` or `tenant/project/key`.
    name: String,
    /// The id of a key that stands; null for one that is only planned.
    id: Option<String>,
    fields: Vec<Field>,
    /// Why it is kept.
    note: Option<&'static str>,
}

/// One field that changes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlannedField")]
pub(crate) struct Field {
    field: String,
    before: Value,
    after: Value,
}

/// A key's text.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MintedSecret")]
pub(crate) struct Minted {
    /// `tenant/project/key`
    name: String,
    key: String,
}

pub(crate) async fn apply(
    call: Call<Nothing, Nothing, JsonBody<Wanted>>,
) -> Result<Fact<Applied>, Problem> {
    let (admin, actor, JsonBody(wanted)) = (call.admin, call.caller.name, call.body);
    let now = admin.clock.wall();
    let dry_run = wanted.dry_run;
    let (prune, state) = (wanted.prune, wanted.state);
    let desired = desired(wanted.tenants, now)?;
    let (plan, secrets) = admin
        .blocking(move |admin| {
            let mut secrets = Vec::new();
            let mut mint = |name: &str| {
                let minted = mint::mint().map_err(|_| StoreError::Conflict {
                    what: "key",
                    name: name.to_owned(),
                    why: "can't be made: the operating system gave no random bytes",
                })?;
                let stored = minted.stored();
                secrets.push(Minted {
                    name: name.to_owned(),
                    key: minted.secret,
                });
                Ok(stored)
            };
            let how = ApplyHow {
                prune,
                dry_run,
                state: state.as_deref(),
            };
            let plan = admin.control.apply(&desired, how, &mut mint, &actor)?;
            if dry_run {
                secrets.clear();
            } else {
                // Both, whatever becomes of the other: a tenant that was pruned takes its tokens with it.
                let (keys, tokens) = (admin.keyring.publish(), admin.tokens.reread());
                keys?;
                tokens?;
            }
            Ok((plan, secrets))
        })
        .await?;
    Ok(Fact(Applied::of(plan, secrets, dry_run)))
}

impl Applied {
    fn of(plan: Plan, secrets: Vec<Minted>, dry_run: bool) -> Self {
        let change = |step: lintel_store::Step| Change {
            action: step.action,
            kind: step.kind,
            name: step.name,
            // The id of a key that was only rehearsed will be another one.
            id: step.id.filter(|_| !(dry_run && step.action == "create")),
            fields: step
                .fields
                .into_iter()
                .map(|f| Field {
                    field: f.field,
                    before: f.before,
                    after: f.after,
                })
                .collect(),
            note: step.note,
        };
        Self {
            applied: !dry_run,
            state: plan.state,
            changes: plan.steps.into_iter().map(change).collect(),
            secrets,
        }
    }
}

fn desired(tenants: ByName<ByName<ByName<WantedKey>>>, now: Timestamp) -> Result<Desired, Problem> {
    let mut desired = Desired::new();
    for (tenant, projects) in tenants {
        let of_tenant = desired.entry(tenant).or_default();
        for (project, keys) in projects {
            let of_project = of_tenant.entry(project).or_default();
            for (name, key) in keys {
                let key = key.resolve(&name, now)?;
                of_project.insert(name, key);
            }
        }
    }
    Ok(desired)
}

impl WantedKey {
    fn resolve(self, name: &str, now: Timestamp) -> Result<DesiredKey, Problem> {
        let expires = match self.expires {
            Some(When(text)) if instant::span(&text).is_some() => {
                let detail = format!("expires of `{name}`: write a time or a date, not a span");
                return Err(Problem::new(&codes::INVALID_VALUE, detail));
            }
            Some(when) => Some(when.at("expires", now, Direction::Future)?),
            None => None,
        };
        let overlap = self.overlap_seconds.unwrap_or(86_400);
        if overlap > LONGEST_OVERLAP {
            let detail = format!(
                "overlap_seconds of `{name}` is {overlap}: a year, {LONGEST_OVERLAP}, is the most"
            );
            return Err(Problem::invalid(detail));
        }
        let hash = self.sha256.map(|digits| read_hash(&digits)).transpose()?;
        Ok(DesiredKey {
            hash,
            overlap: Duration::from_secs(overlap),
            disabled: self.disabled,
            spec: KeySpec {
                name: name.to_owned(),
                owner: self.owner.map(|Line(text)| text).unwrap_or_default(),
                description: self.description.map(|Line(text)| text).unwrap_or_default(),
                routes: access(self.routes),
                direct: self.direct,
                expose_targets: self.expose_targets,
                expires,
                caps: Caps {
                    max_body: self.max_body,
                    max_in_flight: self.max_in_flight,
                    models: self.models.map(shared),
                    priority: self.priority.map(Priority::from),
                    headers: self.headers.map(headers),
                    feature: self.feature.map(Arc::from),
                },
            },
        })
    }
}

fn read_hash(digits: &str) -> Result<[u8; 32], Problem> {
    let wrong = || Problem::invalid("sha256: write 64 hexadecimal digits");
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        let pair = digits.get(2 * at..2 * at + 2).ok_or_else(wrong)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(hash)
}
