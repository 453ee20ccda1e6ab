//! What a reload answers.

use lintel_admin::{Kept, Reloaded};
use serde_json::{Value, json};

use crate::bench::{Bench, fault};

async fn reload(bench: &Bench, outcome: Result<Reloaded, Kept>) -> (u16, Value) {
    *bench.script.0.lock().unwrap() = outcome;
    bench.ask("POST", "/api/v1/reload", None).await
}

#[tokio::test(flavor = "current_thread")]
async fn a_good_configuration_a_bad_one_and_one_that_could_not_be_put_in_force() {
    let bench = Bench::new();
    let good = Reloaded {
        config: "abc".into(),
        changed: true,
        warnings: vec![],
    };
    assert_eq!(
        reload(&bench, Ok(good)).await,
        (
            200,
            json!({"config": "abc", "changed": true, "warnings": []})
        )
    );
    let (status, json) = reload(&bench, Err(Kept::Faulty(vec![fault(3), fault(9)]))).await;
    assert_eq!(
        (status, &json["code"], &json["problems"][1]["line"]),
        (422, &json!("invalid_config"), &json!(9))
    );
    let (status, json) = reload(&bench, Err(Kept::Failed("disk full".into()))).await;
    assert_eq!(
        (status, &json["code"], &json["detail"]),
        (409, &json!("reload_failed"), &json!("disk full"))
    );
}
