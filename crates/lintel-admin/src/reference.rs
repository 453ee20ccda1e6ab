//! The tables of `docs/api.md`, made from the code: operations, error codes, roles.
//!
//! `UPDATE_DOCS=1 cargo test -p lintel-admin` writes them; otherwise a page that differs fails.

use std::fmt::Write as _;
use std::path::Path;

use crate::codes;
use crate::operation::BASE;
use crate::operations;
use crate::roles::{Permission, Role};

fn operation_table() -> String {
    let mut text =
        String::from("| operation | does | needs | errors of its own |\n|---|---|---|---|\n");
    for row in operations::all() {
        let codes = row.own().iter().map(|code| format!("`{}`", code.name));
        let _ = writeln!(
            text,
            "| `{} {BASE}{}` | {} | `{}` | {} |",
            row.method,
            row.path,
            row.summary,
            row.needs.name(),
            codes.collect::<Vec<_>>().join(", "),
        );
    }
    text
}

fn error_table() -> String {
    let mut text = String::from("| status | code | when |\n|---|---|---|\n");
    for code in codes::ALL {
        let _ = writeln!(
            text,
            "| {} | `{}` | {} |",
            code.status, code.name, code.when
        );
    }
    text
}

fn role_table() -> String {
    let mut text = String::from("| permission | lets one |");
    for role in Role::ALL {
        let _ = write!(text, " {} |", role.name());
    }
    let _ = writeln!(text, "\n|---|---|{}", ":-:|".repeat(Role::ALL.len()));
    for permission in Permission::all() {
        let _ = write!(
            text,
            "| `{}` | {} |",
            permission.name(),
            permission.summary()
        );
        for role in Role::ALL {
            let _ = write!(text, " {} |", if role.may(permission) { "✓" } else { "" });
        }
        text.push('\n');
    }
    text
}

/// `page` with `table` between the line `<!-- name -->` and the next `<!-- end -->`.
fn with_table(page: &str, name: &str, table: &str) -> String {
    let start = format!("<!-- {name} -->\n");
    let (before, rest) = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("no `{name}`"));
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    format!("{before}{start}{table}<!-- end -->{after}")
}

#[test]
fn the_page_is_what_the_code_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let mut wanted = with_table(&page, "errors", &error_table());
    wanted = with_table(&wanted, "operations", &operation_table());
    wanted = with_table(&wanted, "roles", &role_table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    assert!(
        page == wanted || std::env::var_os("UPDATE_DOCS").is_some(),
        "docs/api.md is stale: UPDATE_DOCS=1 cargo test -p lintel-admin"
    );
}
