//! Every way in which a call can end settles it exactly once.

mod hang_up;
mod provider;
mod shutdown;

use crate::harness::script::Gate;
use crate::harness::{Act, Config, FACES, Face, Route, Row, Script, Seen, Stage, dialect};

/// The head and the first events of a stream: enough that a client has seen content.
pub(crate) fn begun(face: Face) -> Script {
    let count = if face == Face::Openai { 3 } else { 4 };
    face.events()[..count]
        .iter()
        .fold(Script::stream_head(), |s, e| s.chunk(e.as_bytes()))
}

/// A piece of content that both dialects' beginnings hold.
pub(crate) const CONTENT: &[u8] = b"\"hel\"";

/// What a provider does with a model's name; `gate` lets the gated ones go on.
pub(crate) fn choose(seen: &Seen, gate: &Gate) -> Script {
    let face = dialect::face_of(seen);
    match seen.model().as_str() {
        "hold" => Script(vec![Act::Hold]),
        "begun" => begun(face).then(Act::Hold),
        "torn" => begun(face).raw(b"40\r\ndata: {\"half\":").then(Act::Close),
        "reset" => begun(face).then(Act::Gate(gate.clone())).then(Act::Reset),
        "ends-early" => begun(face).end(),
        "gated-plain" => Script([vec![Act::Gate(gate.clone())], dialect::answer(seen).0].concat()),
        "gated" => {
            let rest = &face.events()[if face == Face::Openai { 3 } else { 4 }..];
            rest.iter()
                .fold(begun(face).then(Act::Gate(gate.clone())), |s, e| {
                    s.chunk(e.as_bytes())
                })
                .end()
        }
        _ => dialect::answer(seen),
    }
}

/// A stage whose routes `<provider>-<model>` make one attempt, with `settings`.
pub(crate) fn stage(models: &[&str], settings: &[(&str, &str)]) -> (Stage, Gate) {
    let gate = Gate::default();
    let held = gate.clone();
    let more = |config: Config| {
        models.iter().fold(config, |config, model| {
            FACES.into_iter().fold(config, |config, face| {
                let route = settings.iter().fold(
                    Route::to(&face.direct(model)).set("attempts", "1"),
                    |r, (n, v)| r.set(n, v),
                );
                config.route(&format!("{}-{model}", face.provider()), route)
            })
        })
    };
    (Stage::with(move |seen| choose(seen, &held), more), gate)
}

/// The route of [`stage`] to `model` on `face`'s surface.
pub(crate) fn route(face: Face, model: &str) -> String {
    format!("{}-{model}", face.provider())
}

/// A stream that was broken must say so, in its dialect, as its last event, and must not look whole.
pub(crate) fn broken(face: Face, text: &str) -> crate::harness::dialect::Fault {
    assert!(
        !text.contains(face.terminal()),
        "a broken stream must not end as a whole one: {text}"
    );
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    let data = last
        .lines()
        .find_map(|l| l.strip_prefix("data: "))
        .unwrap_or_else(|| panic!("no last event: {text}"));
    if face == Face::Anthropic {
        assert!(last.starts_with("event: error\n"), "{last}");
    }
    face.fault(&serde_json::from_str(data).unwrap_or_else(|e| panic!("{e}: {last}")))
}

/// The row is settled, with this outcome, and its attempts failed so.
pub(crate) fn settled(row: &Row, outcome: &str, classes: &[&str]) {
    assert_eq!(
        (row.kind(), row.outcome()),
        ("settled", outcome),
        "{}",
        row.0
    );
    assert_eq!(row.classes(), classes, "{}", row.0);
}

#[test]
fn refusals_and_provider_errors_settle_once() {
    let (stage, _) = stage(&[], &[]);
    for face in FACES {
        let session = stage.session();
        let reply = stage.connect().call(
            &face
                .head(&stage.key.secret)
                .header("x-lintel-session", &session)
                .body("[]"),
        );
        assert_eq!(reply.status, 400);
        let row = stage.lintel.row(&session);
        settled(&row, "client_error", &[]);
        assert_eq!(
            (row.status(), row.text("side"), row.cost()),
            (400, "client", 0)
        );
    }
    stage.balance(2);
    assert_eq!(stage.lintel.usage().attempts, 0);
}
