//! A client's request: which member of the body means what.

use lintel_types::Error;
use lintel_types::canon::{At, Extra, RawJson, Request, Set};

use super::{messages, settings, tools};
use crate::json::{self, Member};
use crate::provider::OPENAI;
use crate::surface::{Head, bad_json};

/// Reads a body. The error names the path and the remedy.
pub(crate) fn read(body: &[u8], head: &Head) -> Result<Request, Error> {
    let members = json::parse_object(body).map_err(bad_json)?;
    let mut request = Request {
        model: head.model.clone(),
        stream: head.stream,
        ..Request::default()
    };
    for member in members.iter().filter(|m| !m.value.is_null()) {
        if !known(member, &mut request)? {
            request.extras.push(Extra {
                key: member.key.clone().into_owned(),
                at: At::new("$").key(&member.key),
                protocol: OPENAI,
                value: RawJson::new(member.value.raw()),
            });
        }
    }
    Ok(request)
}

/// Reads a member that has a canonical word; false for one that has none.
fn known(member: &Member<'_>, request: &mut Request) -> Result<bool, Error> {
    let node = member.value;
    match &*member.key {
        // The head has them, and our own member has been stripped.
        "model" | "stream" | "lintel" => {}
        "stream_options" => {
            let asked = node.get("include_usage").and_then(|f| f.bool());
            request.include_usage = asked == Some(true);
        }
        "messages" => request.messages = messages::read(node)?,
        "tools" => request.tools.extend(tools::tools(node)?),
        "functions" => request.tools.extend(tools::functions(node)?),
        key @ ("tool_choice" | "function_call") => {
            let at = if key == "tool_choice" {
                "$.tool_choice"
            } else {
                "$.function_call"
            };
            let Some(choice) = tools::choice(node) else {
                return Ok(false);
            };
            request.tool_choice = Some(Set::new(choice, at));
        }
        key => return settings::read(key, node, &mut request.settings),
    }
    Ok(true)
}
