//! Who may do what: six roles, and a table of permissions.
//!
//! A permission names what it lets one do, not a path; each operation needs exactly one. The table is
//! the whole policy: `docs/api.md` and `lintel token roles` print it. Least privilege decides each
//! cell, and one law holds across the table: a role may hand out only roles that may no more than itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a token's holder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, tokens of owners included.
    Owner,
    /// Runs the installation: everything but the tokens of owners.
    Admin,
    /// On call: reloads, makes backups, reads status and the request log. Changes no key and no money.
    Operator,
    /// Reads usage and its attribution. Sees no exchange.
    Finance,
    /// Reads everything, the audit and the tokens' facts included. Changes nothing.
    Auditor,
    /// Reads status and sums, nothing that points at a person.
    Viewer,
}

/// Something that can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Read this API's description, and what one's own token is.
    Own,
    /// Read status.
    StatusRead,
    /// Read usage by what points at no person.
    UsageRead,
    /// Read usage by key and by user too.
    UsageAttribute,
    /// Read tenants and projects.
    TenantsRead,
    /// Make, change and delete tenants and projects.
    TenantsWrite,
    /// Read keys, never their secrets.
    KeysRead,
    /// Make, change and revoke keys.
    KeysWrite,
    /// Read the request log.
    ExchangesRead,
    /// Read the configuration in force.
    ConfigRead,
    /// Read the configuration anew.
    ConfigReload,
    /// Compact the store.
    StoreWrite,
    /// Read which backups there are.
    BackupsRead,
    /// Make backups.
    BackupsWrite,
    /// Read the audit.
    AuditRead,
    /// Read tokens, never their secrets.
    TokensRead,
    /// Make and revoke tokens of roles that may no more than one's own.
    TokensWrite,
    /// Make and revoke tokens of owners.
    OwnersWrite,
}

use Permission as P;
use Role as R;

/// Role × permission: a permission's name, what it allows, and who has it.
const TABLE: &[(Permission, &str, &str, &[Role])] = &[
    (
        P::Own,
        "own",
        "read this API's description and one's own token",
        &R::ALL,
    ),
    (P::StatusRead, "status.read", "read status", &R::ALL),
    (
        P::UsageRead,
        "usage.read",
        "read usage, but for `by` key or user",
        &R::ALL,
    ),
    (
        P::UsageAttribute,
        "usage.attribute",
        "read usage by key and by user",
        &[R::Owner, R::Admin, R::Operator, R::Finance, R::Auditor],
    ),
    (
        P::TenantsRead,
        "tenants.read",
        "read tenants and projects",
        &R::ALL,
    ),
    (
        P::TenantsWrite,
        "tenants.write",
        "make, change and delete tenants and projects",
        &[R::Owner, R::Admin],
    ),
    (
        P::KeysRead,
        "keys.read",
        "read keys, never their secrets",
        &[R::Owner, R::Admin, R::Operator, R::Finance, R::Auditor],
    ),
    (
        P::KeysWrite,
        "keys.write",
        "make, change and revoke keys",
        &[R::Owner, R::Admin],
    ),
    (
        P::ExchangesRead,
        "exchanges.read",
        "read the request log",
        &[R::Owner, R::Admin, R::Operator, R::Auditor],
    ),
    (
        P::ConfigRead,
        "config.read",
        "read the configuration in force; secrets are references in it",
        &[R::Owner, R::Admin, R::Operator, R::Auditor],
    ),
    (
        P::ConfigReload,
        "config.reload",
        "read the configuration anew",
        &[R::Owner, R::Admin, R::Operator],
    ),
    (
        P::StoreWrite,
        "store.write",
        "give the databases' free space back",
        &[R::Owner, R::Admin, R::Operator],
    ),
    (
        P::BackupsRead,
        "backups.read",
        "read which backups there are",
        &[R::Owner, R::Admin, R::Operator, R::Auditor],
    ),
    (
        P::BackupsWrite,
        "backups.write",
        "make backups, in the configured directory",
        &[R::Owner, R::Admin, R::Operator],
    ),
    (
        P::AuditRead,
        "audit.read",
        "read the audit",
        &[R::Owner, R::Admin, R::Auditor],
    ),
    (
        P::TokensRead,
        "tokens.read",
        "read tokens, never their secrets",
        &[R::Owner, R::Admin, R::Auditor],
    ),
    (
        P::TokensWrite,
        "tokens.write",
        "make and revoke tokens of roles that may no more than one's own",
        &[R::Owner, R::Admin],
    ),
    (
        P::OwnersWrite,
        "owners.write",
        "make and revoke tokens of owners",
        &[R::Owner],
    ),
];

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: [Role; 6] = [
        R::Owner,
        R::Admin,
        R::Operator,
        R::Finance,
        R::Auditor,
        R::Viewer,
    ];

    /// The name in JSON, in the store and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            R::Owner => "owner",
            R::Admin => "admin",
            R::Operator => "operator",
            R::Finance => "finance",
            R::Auditor => "auditor",
            R::Viewer => "viewer",
        }
    }

    /// Whom it is for, as a sentence without its end.
    pub const fn summary(self) -> &'static str {
        match self {
            R::Owner => "everything, tokens of owners included",
            R::Admin => "runs the installation: everything but the tokens of owners",
            R::Operator => {
                "on call: reloads, makes backups, reads status and the request log; changes no key and no money"
            }
            R::Finance => "reads usage and whose it is; sees no exchange",
            R::Auditor => {
                "reads everything, the audit and the tokens' facts included; changes nothing"
            }
            R::Viewer => "reads status and sums; nothing that points at a person",
        }
    }

    /// The role of this name.
    pub fn by_name(name: &str) -> Option<Role> {
        R::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it may do this.
    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }

    /// Whether it may hand out `other`: only what may no more than itself.
    pub fn may_grant(self, other: Role) -> bool {
        let gate = match other {
            R::Owner => P::OwnersWrite,
            _ => P::TokensWrite,
        };
        self.may(gate) && Permission::all().all(|each| !other.may(each) || self.may(each))
    }
}

impl Permission {
    /// Every permission, in the order of the table.
    pub fn all() -> impl Iterator<Item = Permission> {
        TABLE.iter().map(|(permission, ..)| *permission)
    }

    /// The name in texts and documents: `keys.write`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What it allows, as a sentence without its end.
    pub fn summary(self) -> &'static str {
        self.row().2
    }

    /// Who has it, the mightiest first.
    pub fn roles(self) -> &'static [Role] {
        self.row().3
    }

    fn row(self) -> (Permission, &'static str, &'static str, &'static [Role]) {
        // A permission without a row is nobody's; a test walks the enumeration.
        let found = TABLE.iter().find(|(permission, ..)| *permission == self);
        found.copied().unwrap_or((self, "", "", &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_may_everything_and_every_permission_has_one_row() {
        let mut names: Vec<_> = Permission::all().map(Permission::name).collect();
        assert!(Permission::all().all(|each| R::Owner.may(each)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        assert_eq!(
            TABLE.len(),
            P::OwnersWrite as usize + 1,
            "a permission without a row"
        );
    }

    #[test]
    fn who_reads_only_changes_nothing() {
        for role in [R::Finance, R::Auditor, R::Viewer] {
            for permission in Permission::all().filter(|each| role.may(*each)) {
                let name = permission.name();
                assert!(
                    !name.ends_with(".write") && !name.ends_with(".reload"),
                    "{role:?} may {name}"
                );
            }
        }
    }

    #[test]
    fn nobody_hands_out_more_than_they_have() {
        let grants = |role: Role| R::ALL.map(|other| role.may_grant(other));
        assert_eq!(grants(R::Owner), [true; 6]);
        assert_eq!(grants(R::Admin), [false, true, true, true, true, true]);
        for role in [R::Operator, R::Finance, R::Auditor, R::Viewer] {
            assert_eq!(grants(role), [false; 6], "{role:?}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for role in R::ALL {
            assert_eq!(Role::by_name(role.name()), Some(role));
            assert_eq!(serde_json::json!(role), serde_json::json!(role.name()));
        }
    }
}
