//! The table of operations: everything that the control API does, a row each.
//!
//! A row gives method and path, an id and a sentence for the OpenAPI document, the one permission that it
//! needs, the handler whose signature says what is read and shown, and the errors of its own. Router,
//! authorisation, OpenAPI document and `docs/api.md` are made from it; nothing of them is written elsewhere.

use std::sync::{Arc, LazyLock};

use axum::http::Method;

use crate::operation::Operation;
use crate::roles::Permission;
use crate::{
    apply, audit, backups, codes, config, exchanges, keys, openapi, projects, reload, status,
    store, tenants, tokens, usage,
};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

/// Every operation, in the order of the documentation.
pub(crate) fn all() -> &'static [Arc<Operation>] {
    static ALL: LazyLock<Vec<Arc<Operation>>> = LazyLock::new(|| {
        let rows = rows();
        rows.iter()
            .map(|row| Arc::new(row.clone().with_twin(&rows)))
            .collect()
    });
    &ALL
}

/// The operations on one object of the list at `path`.
pub(crate) fn rows_under(path: &str) -> impl Iterator<Item = &'static Arc<Operation>> {
    all().iter().filter(move |row| {
        let rest = row
            .path
            .strip_prefix(path)
            .and_then(|rest| rest.strip_prefix("/{"));
        rest.is_some_and(|rest| rest.find('}') == Some(rest.len() - 1))
    })
}

#[rustfmt::skip]
fn rows() -> Vec<Operation> {
    use Operation as Op;
    use Permission::{AuditRead, BackupsRead, BackupsWrite, ConfigRead, ConfigReload, ExchangesRead, KeysRead, KeysWrite, Own, StatusRead, StoreWrite, TenantsRead, TenantsWrite, TokensRead, TokensWrite, UsageRead};
    vec![
        Op::new(POST, "/keys", ("createKey", "Make a virtual key; its text is shown this once"), KeysWrite, keys::create)
            .or(&[&codes::ALREADY_EXISTS, &codes::CONFLICT]).within_tenant(),
        Op::new(GET, "/keys", ("listKeys", "List keys, oldest first"), KeysRead, keys::list).within_tenant(),
        Op::new(GET, "/keys/{id}", ("getKey", "Read a key"), KeysRead, keys::one).within_tenant(),
        Op::new(PATCH, "/keys/{id}", ("changeKey", "Change a key, or switch it off or on"), KeysWrite, keys::change)
            .or(&[&codes::REVOKED_KEY]).within_tenant(),
        Op::new(POST, "/keys/{id}/rotate", ("rotateKey", "Give a key another secret, shown this once; the former ones stay accepted for a while"), KeysWrite, keys::rotate)
            .or(&[&codes::REVOKED_KEY, &codes::ALREADY_EXISTS, &codes::CONFLICT]).within_tenant(),
        Op::new(DELETE, "/keys/{id}", ("revokeKey", "Revoke a key for good"), KeysWrite, keys::revoke).within_tenant(),

        Op::new(POST, "/tenants", ("createTenant", "Make a tenant"), TenantsWrite, tenants::create)
            .or(&[&codes::ALREADY_EXISTS, &codes::CONFLICT]),
        Op::new(GET, "/tenants", ("listTenants", "List tenants with their projects, by name"), TenantsRead, tenants::list).within_tenant(),
        Op::new(GET, "/tenants/{tenant}", ("getTenant", "Read a tenant"), TenantsRead, tenants::one).within_tenant(),
        Op::new(DELETE, "/tenants/{tenant}", ("deleteTenant", "Delete a tenant with its data: its keys at once, its rows within a while"), TenantsWrite, tenants::delete)
            .or(&[&codes::CONFLICT]),
        Op::new(GET, "/tenants/{tenant}/content", ("countTenant", "Count what goes when a tenant is deleted"), TenantsRead, tenants::content),

        Op::new(POST, "/projects", ("createProject", "Make a project"), TenantsWrite, projects::create)
            .or(&[&codes::ALREADY_EXISTS, &codes::CONFLICT]),
        Op::new(GET, "/projects", ("listProjects", "List projects, by tenant and name"), TenantsRead, projects::list),
        Op::new(GET, "/projects/{tenant}/{project}", ("getProject", "Read a project"), TenantsRead, projects::one),
        Op::new(DELETE, "/projects/{tenant}/{project}", ("deleteProject", "Delete a project and its revoked keys"), TenantsWrite, projects::delete)
            .or(&[&codes::CONFLICT]),

        Op::new(POST, "/apply", ("apply", "Make what files declare stand, or plan it"), KeysWrite, apply::apply)
            .or(&[&codes::ALREADY_EXISTS, &codes::CONFLICT, &codes::REVOKED_KEY, &codes::PLAN_OUTDATED]),

        Op::new(GET, "/usage", ("sumUsage", "Sum up what was used and what it cost"), UsageRead, usage::sums).within_tenant(),

        Op::new(GET, "/exchanges", ("listExchanges", "List exchanges, newest first"), ExchangesRead, exchanges::list).within_tenant(),
        Op::new(GET, "/exchanges/{id}", ("getExchange", "Read an exchange by its id, or by the `x-request-id` of its caller"), ExchangesRead, exchanges::one).within_tenant(),

        Op::new(GET, "/status", ("getStatus", "Look at the process"), StatusRead, status::status),
        Op::new(GET, "/config", ("getConfig", "Read the configuration in force, every default filled in; secrets are references"), ConfigRead, config::config),
        Op::new(POST, "/reload", ("reload", "Read the configuration anew and put it in force"), ConfigReload, reload::reload)
            .or(&[&codes::INVALID_CONFIG, &codes::RELOAD_FAILED]).beside_others(),

        Op::new(POST, "/tokens", ("createToken", "Make a token of this API; its text is shown this once"), TokensWrite, tokens::create)
            .or(&[&codes::ALREADY_EXISTS, &codes::NOT_FOUND]).within_tenant(),
        Op::new(GET, "/tokens", ("listTokens", "List tokens, oldest first"), TokensRead, tokens::list).within_tenant(),
        Op::new(GET, "/tokens/me", ("getOwnToken", "Read whose token was shown, and what it may do"), Own, tokens::me).within_tenant(),
        Op::new(GET, "/tokens/{id}", ("getToken", "Read a token"), TokensRead, tokens::one).within_tenant(),
        Op::new(DELETE, "/tokens/{id}", ("revokeToken", "Revoke a token for good"), TokensWrite, tokens::revoke).within_tenant(),

        Op::new(GET, "/audit", ("listAudit", "List changes, newest first"), AuditRead, audit::list).within_tenant(),
        Op::new(GET, "/audit/{sequence}", ("getAudit", "Read a change with what was before and after"), AuditRead, audit::one).within_tenant(),

        Op::new(POST, "/backups", ("createBackup", "Begin a backup of the store into the configured directory"), BackupsWrite, backups::create)
            .or(&[&codes::ALREADY_RUNNING]),
        Op::new(GET, "/backups", ("listBackups", "List the backups in the configured directory, newest first"), BackupsRead, backups::list),
        Op::new(GET, "/backups/latest", ("getLatestBackup", "Look at the backup that is being made, or was made last, by this process"), BackupsRead, backups::latest),
        Op::new(POST, "/store/compact", ("compactStore", "Give free space of the databases back to the disk"), StoreWrite, store::compact).beside_others(),
        Op::new(GET, "/store", ("getStore", "Look at the store's files"), StatusRead, store::state),

        Op::new(GET, "/openapi.json", ("getOpenapi", "Read this description"), Own, openapi::get).within_tenant(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_row_is_whole() {
        for (at, row) in all().iter().enumerate() {
            let first = all().iter().position(|other| other.id == row.id);
            assert_eq!(first, Some(at), "{} twice", row.id);
            let same =
                |other: &&Arc<Operation>| (other.path, &other.method) == (row.path, &row.method);
            assert_eq!(
                all().iter().filter(same).count(),
                1,
                "{} {} twice",
                row.method,
                row.path
            );
            assert!(
                !row.summary.is_empty() && !row.summary.ends_with('.'),
                "{}",
                row.id
            );
            assert!(!row.needs.roles().is_empty(), "{} is for nobody", row.id);
        }
    }

    #[test]
    fn what_creates_posts_and_what_edits_can_be_read() {
        for row in all() {
            assert!(!row.creates() || row.method == Method::POST, "{}", row.id);
            assert_eq!(
                row.has_twin(),
                row.edits(),
                "{} has no GET of its object",
                row.id
            );
            let object = row.method == Method::GET && row.path.ends_with('}');
            assert!(
                !object || row.shape.tagged,
                "{} reads an object without a tag",
                row.id
            );
            let named = !matches!(row.method, Method::PUT | Method::PATCH | Method::DELETE);
            assert!(named || row.edits(), "{} changes no object", row.id);
        }
    }

    #[test]
    fn every_permission_is_needed_and_every_change_needs_more_than_reading() {
        for row in all() {
            let name = row.needs.name();
            let reads = name.ends_with(".read") || name == Permission::Own.name();
            assert_eq!(row.changes(), !reads, "{} needs {name}", row.id);
        }
    }
}
