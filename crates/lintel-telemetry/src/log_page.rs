//! `docs/logs.md`, made from the lists of fields.

use std::fmt::Write;

use crate::call_line::{ATTEMPT_FIELDS, FIELDS, FieldOf};
use crate::settings::REFUSALS_A_SECOND;

/// The page's text. `json` and `text` are the lines of one call, as an example.
pub fn logs_page(json: &str, text: &str) -> String {
    let mut page = HEAD.replace("REFUSALS", &REFUSALS_A_SECOND.to_string());
    page.push_str(CALLS);
    table(&mut page, FIELDS);
    page.push_str("\nAn element of `attempts`:\n\n");
    table(&mut page, ATTEMPT_FIELDS);
    // Writing to a `String` can't fail.
    let _ = write!(
        page,
        "\nThe same call with `format: json` and with `format: text`:\n\n```\n{json}{text}```\n"
    );
    page.push_str(EVENTS);
    page
}

fn table(page: &mut String, fields: &[FieldOf]) {
    page.push_str("| field | type and unit | meaning |\n|---|---|---|\n");
    for (name, kind, meaning) in fields {
        let _ = writeln!(page, "| `{name}` | {kind} | {meaning} |");
    }
}

const HEAD: &str = include_str!("log_page/head.md");
const CALLS: &str = include_str!("log_page/calls.md");
const EVENTS: &str = include_str!("log_page/events.md");
