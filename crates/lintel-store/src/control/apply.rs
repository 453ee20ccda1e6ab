//! Applying files: what is declared becomes what stands, in one transaction, or only the plan of it is told.
//!
//! Decides what changes and in which order. A dry run does everything and gives the transaction up, so a plan and its
//! execution can't differ. Invariants: applying twice changes nothing; what was not made by files is never deleted; a
//! revoked key stays revoked, whatever a file says.

mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use lintel_types::Timestamp;
use rusqlite::Transaction;
use serde::Serialize;
use serde_json::{Map, Value};

use super::keys::{self, KeyFilter, KeyRow, KeySpec, KeyState, NewKey, NewSecret};
use super::tenants::{self, delete_project, delete_tenant, ensure_tenant, insert_project};
use super::{Change, Control, names};
use crate::error::StoreError;

/// What files declare, by tenant, project and key.
pub type Desired = BTreeMap<String, BTreeMap<String, BTreeMap<String, DesiredKey>>>;

/// A key that files declare.
#[derive(Debug, Clone)]
pub struct DesiredKey {
    /// SHA-256 of the text that is accepted; none: one is made with the key.
    pub hash: Option<[u8; 32]>,
    /// How long a former secret stays accepted when `hash` is another one.
    pub overlap: Duration,
    /// What it may do. Its name is the one that it is declared by.
    pub spec: KeySpec,
    /// Whether its calls are refused for now.
    pub disabled: bool,
}

/// How files are applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyHow<'a> {
    /// Delete what files had made and no more declare.
    pub prune: bool,
    /// Change nothing.
    pub dry_run: bool,
    /// The state that the plan was made for; another one is refused.
    pub state: Option<&'a str>,
}

/// What applying files changes, or changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// In the order of execution.
    pub steps: Vec<Step>,
    /// Names the state that the plan was made for.
    pub state: String,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// `create`, `update`, `delete`, or `keep` for what is left as it is though a file says otherwise.
    pub action: &'static str,
    /// `tenant`, `project` or `key`.
    pub kind: &'static str,
    /// `tenant`, `tenant/project` or `tenant/project/key`.
    pub name: String,
    /// A key's id.
    pub id: Option<String>,
    /// What changes of it.
    pub fields: Vec<FieldChange>,
    /// Why it is kept.
    pub note: Option<&'static str>,
}

/// One field of a key that changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// Its name.
    pub field: String,
    /// What it is; null when it is not set.
    pub before: Value,
    /// What it becomes.
    pub after: Value,
}

/// Makes a secret for the key of this name.
pub type Mint<'a> = dyn FnMut(&str) -> Result<NewSecret, StoreError> + 'a;

impl Control {
    /// Makes what `desired` declares stand. `mint` is asked for a secret of each key that is made without one.
    ///
    /// Errors: a name or value that can't be, two keys of one name, a secret of another key, or another state than the
    /// plan's. Nothing has changed then.
    pub fn apply(
        &self,
        desired: &Desired,
        how: ApplyHow<'_>,
        mint: &mut Mint<'_>,
        actor: &str,
    ) -> Result<Plan, StoreError> {
        let now = self.now();
        let work = |t: &Transaction<'_>| {
            let state = state::of(t)?;
            if how.state.is_some_and(|planned| planned != state) {
                return Err(StoreError::Moved.into());
            }
            let mut applying = Applying {
                t,
                now,
                actor,
                keys: by_name(keys::all(t, &KeyFilter::default())?),
                steps: Vec::new(),
            };
            applying.declare(desired, mint)?;
            if how.prune {
                applying.prune(desired)?;
            }
            Ok(Plan {
                steps: applying.steps,
                state,
            })
        };
        if how.dry_run {
            self.rehearse(work)
        } else {
            self.change(work)
        }
    }
}

type ByName = BTreeMap<(String, String, String), Vec<KeyRow>>;

fn by_name(keys: Vec<KeyRow>) -> ByName {
    let mut by_name = ByName::new();
    for key in keys {
        let name = (
            key.tenant.clone(),
            key.project.clone(),
            key.spec.name.clone(),
        );
        by_name.entry(name).or_default().push(key);
    }
    by_name
}

struct Applying<'a> {
    t: &'a Transaction<'a>,
    now: Timestamp,
    actor: &'a str,
    keys: ByName,
    steps: Vec<Step>,
}

impl Applying<'_> {
    fn declare(&mut self, desired: &Desired, mint: &mut Mint<'_>) -> Result<(), Change> {
        for (tenant, projects) in desired {
            names::check("tenant", tenant)?;
            if ensure_tenant(self.t, tenant, true, self.now, self.actor)? {
                self.step("create", "tenant", tenant.clone());
            }
            for (project, keys) in projects {
                names::check("project", project)?;
                if insert_project(self.t, tenant, project, true, self.now, self.actor)? {
                    self.step("create", "project", format!("{tenant}/{project}"));
                }
                for (name, key) in keys {
                    self.key(tenant, project, name, key, mint)?;
                }
            }
        }
        Ok(())
    }

    fn key(
        &mut self,
        tenant: &str,
        project: &str,
        name: &str,
        desired: &DesiredKey,
        mint: &mut Mint<'_>,
    ) -> Result<(), Change> {
        names::check("key name", name)?;
        let whole = format!("{tenant}/{project}/{name}");
        let place = (tenant.to_owned(), project.to_owned(), name.to_owned());
        let named = self.keys.remove(&place).unwrap_or_default();
        let (revoked, mut standing): (Vec<_>, Vec<_>) = named
            .into_iter()
            .partition(|k| k.state == KeyState::Revoked);
        let spec = KeySpec {
            name: name.to_owned(),
            ..desired.spec.clone()
        };
        if standing.len() > 1 {
            return Err(StoreError::Conflict {
                what: "key name",
                name: whole,
                why: "is that of several keys: rename or revoke all but one",
            }
            .into());
        }
        match standing.pop() {
            Some(key) => self.update(whole, key, desired, spec),
            None if revoked.iter().any(|k| k.managed) => {
                self.keep(
                    "key",
                    whole,
                    "is revoked and stays so: take it out of the files, or give it another name",
                );
                Ok(())
            }
            None => {
                let new = NewKey {
                    tenant: tenant.to_owned(),
                    project: project.to_owned(),
                    spec,
                };
                self.create(whole, &new, desired, mint)
            }
        }
    }

    fn create(
        &mut self,
        whole: String,
        new: &NewKey,
        desired: &DesiredKey,
        mint: &mut Mint<'_>,
    ) -> Result<(), Change> {
        let secret = match desired.hash {
            Some(hash) => NewSecret::of_hash(hash),
            None => mint(&whole)?,
        };
        let mut key = keys::create(self.t, new, &secret, true, self.now, self.actor)?;
        if desired.disabled {
            key = keys::set_state(self.t, key, KeyState::Disabled, self.now, self.actor)?;
        }
        let mut fields = differences(&fields_of(&KeySpec::default()), &fields_of(&new.spec));
        fields.retain(|f| f.field != "name");
        let whence = if desired.hash.is_some() {
            "given"
        } else {
            "to be made"
        };
        fields.push(change("secret", Value::Null, whence.into()));
        if desired.disabled {
            fields.push(change("disabled", false.into(), true.into()));
        }
        self.steps.push(Step {
            id: Some(key.id),
            fields,
            ..step("create", "key", whole)
        });
        Ok(())
    }

    fn update(
        &mut self,
        whole: String,
        key: KeyRow,
        desired: &DesiredKey,
        spec: KeySpec,
    ) -> Result<(), Change> {
        let (t, now, actor) = (self.t, self.now, self.actor);
        let id = key.id.clone();
        let mut fields = differences(&fields_of(&key.spec), &fields_of(&spec));
        if !key.managed {
            fields.push(change("managed", false.into(), true.into()));
        }
        let mut key = keys::edit(t, key, spec, Some(true), now, actor)?;
        if let Some(hash) = desired.hash
            && keys::was_rotated_away(t, &id, &hash)?
        {
            self.keep(
                "key",
                whole.clone(),
                "its secret in the files was rotated away: write the new one, or leave `secret` out",
            );
        } else if let Some(hash) = desired.hash
            && !keys::has_secret(t, &id, &hash)?
        {
            let secret = NewSecret::of_hash(hash);
            key = keys::add_secret(t, key, &secret, desired.overlap, now, actor)?;
            fields.push(change("secret", "another".into(), "given".into()));
        }
        let state = match desired.disabled {
            true => KeyState::Disabled,
            false => KeyState::Active,
        };
        if key.state != state {
            fields.push(change(
                "disabled",
                (!desired.disabled).into(),
                desired.disabled.into(),
            ));
            keys::set_state(t, key, state, now, actor)?;
        }
        if !fields.is_empty() {
            self.steps.push(Step {
                id: Some(id),
                fields,
                ..step("update", "key", whole)
            });
        }
        Ok(())
    }

    /// Keys first, then the projects that held them, then the tenants.
    fn prune(&mut self, desired: &Desired) -> Result<(), Change> {
        let (t, now, actor) = (self.t, self.now, self.actor);
        // What is left here was not declared.
        for ((tenant, project, name), keys) in std::mem::take(&mut self.keys) {
            for key in keys {
                if !key.managed || key.state == KeyState::Revoked {
                    continue;
                }
                let id = Some(key.id.clone());
                keys::set_state(t, key, KeyState::Revoked, now, actor)?;
                self.steps.push(Step {
                    id,
                    ..step("delete", "key", format!("{tenant}/{project}/{name}"))
                });
            }
        }
        for project in tenants::projects(t, None)? {
            let declared = desired
                .get(&project.tenant)
                .is_some_and(|p| p.contains_key(&project.name));
            if declared || !project.managed {
                continue;
            }
            let name = format!("{}/{}", project.tenant, project.name);
            match delete_project(t, &project.tenant, &project.name, now, actor) {
                Ok(_) => self.step("delete", "project", name),
                Err(Change::Refused(StoreError::Conflict { .. })) => {
                    self.keep("project", name, "holds keys that no file made");
                }
                Err(other) => return Err(other),
            }
        }
        for tenant in tenants::tenants(t)? {
            if desired.contains_key(&tenant.name) || !tenant.managed || tenant.deleting {
                continue;
            }
            if tenants::projects(t, Some(&tenant.name))?.is_empty() {
                delete_tenant(t, &tenant.name, now, actor)?;
                self.step("delete", "tenant", tenant.name);
            } else {
                self.keep("tenant", tenant.name, "holds projects that no file made");
            }
        }
        Ok(())
    }

    fn step(&mut self, action: &'static str, kind: &'static str, name: String) {
        self.steps.push(step(action, kind, name));
    }

    fn keep(&mut self, kind: &'static str, name: String, note: &'static str) {
        self.steps.push(Step {
            note: Some(note),
            ..step("keep", kind, name)
        });
    }
}

fn step(action: &'static str, kind: &'static str, name: String) -> Step {
    Step {
        action,
        kind,
        name,
        id: None,
        fields: Vec::new(),
        note: None,
    }
}

fn change(field: &str, before: Value, after: Value) -> FieldChange {
    FieldChange {
        field: field.to_owned(),
        before,
        after,
    }
}

/// A spec's fields as files name them, caps among the others; what is not set is left out.
fn fields_of(spec: &KeySpec) -> Map<String, Value> {
    let mut fields = Map::new();
    let Value::Object(all) = serde_json::json!(spec) else {
        return fields;
    };
    for (name, value) in all {
        match (name.as_str(), value) {
            ("caps", Value::Object(caps)) => fields.extend(caps),
            ("routes", Value::Object(mut only)) => {
                fields.insert(name, only.remove("only").unwrap_or_default());
            }
            ("routes", _) => {}
            (_, Value::Null) => {}
            ("expires", _) => {
                let shown = spec.expires.map(|e| e.to_string());
                fields.insert(name, serde_json::json!(shown));
            }
            (_, value) => {
                fields.insert(name, value);
            }
        }
    }
    fields
}

fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |of: &Map<String, Value>, name: &String| of.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|name| change(name, value(before, name), value(after, name)))
        .filter(|c| c.before != c.after)
        .collect()
}
