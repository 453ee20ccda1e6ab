//! The order of things, read top to bottom. Each step takes one typed state and gives the next.
//!
//! Not here yet, and where it will stand: rendering a prompt comes before the guards; the cache after
//! them (so that nothing guarded-out is stored), remembering after the relay.

use std::sync::{Arc, OnceLock};

use http::Response;
use http::header::ALLOW;
use http::request::Parts;
use hyper::body::Incoming;
use lintel_policy::OnDisconnect;
use lintel_types::{Error, Kind, Mono, Priority};
use lintel_wire::surface::SurfaceSpec;

use crate::answer::{self, bare_error, note_degraded, respond, stream_head};
use crate::attempt::{self, Answered, Ready, Reply};
use crate::control::KnownKey;
use crate::count::Counted;
use crate::entry::{self, Asked};
use crate::exchange::{Born, Exchange, claimed, said};
use crate::failed::Failed;
use crate::head::Called;
use crate::opening::Opened;
use crate::plan::Plan;
use crate::probe::Step;
use crate::relay::{Relay, RelayRules};
use crate::settle::Settlement;
use crate::start::Worker;
use crate::write::ClientBody;
use crate::{
    admit, authenticate, body, count, detach, guard, head, models, objects, plan, reserve, route,
};

/// One request's whole life.
pub(crate) async fn run(
    worker: &Arc<Worker>,
    born: Born,
    parts: Parts,
    incoming: Incoming,
) -> Response<ClientBody> {
    let shared = &worker.shared;
    let path = parts.uri.path();
    let id = born.id;

    // surface: method and path alone
    let asked = entry::read(&parts.method, path);
    let surface = asked.as_ref().ok().and_then(Asked::surface);
    // Boxed: it moves through every step, and the future that holds it is made anew for each call.
    let mut settlement = Box::new(Settlement::new(
        Arc::clone(shared),
        Exchange::new(shared, born, &parts.headers, surface),
    ));
    let called = match asked {
        Ok(Asked::Call(spec, place)) => Called {
            spec,
            method: parts.method.clone(),
            place,
            query: entry::query(spec, parts.uri.query()),
        },
        Ok(about_models) => {
            let dialect = entry::dialect(entry::spoken(&parts.headers), path);
            return match show_models(worker, &mut settlement, &parts, &about_models, dialect) {
                Ok(json) => answer::document(settlement, json).await,
                Err(error) => answer::failed(settlement, dialect, error.into()).await,
            };
        }
        Err(error) => {
            let allow = (error.kind() == Kind::MethodNotAllowed).then(|| entry::allowed(path));
            let dialect = entry::dialect(entry::spoken(&parts.headers), path);
            let mut answer = answer::failed(settlement, dialect, error.into()).await;
            if let Some(method) = allow {
                answer.headers_mut().insert(ALLOW, method);
            }
            return answer;
        }
    };

    // authenticate, admit, body, head, route, guard, plan, reserve
    let spec = called.spec;
    let ready = match prepare(worker, &mut settlement, called, parts, incoming).await {
        Ok(Prepared::Ready(ready)) => ready,
        Ok(Prepared::Counted(counted)) => return answer::counted(settlement, counted).await,
        Err(error) => return answer::failed(settlement, spec, error.into()).await,
    };

    // attempt
    shared.at(Step::Attempt);
    let (settlement, outcome, ready) = match ready.route.on_disconnect {
        OnDisconnect::Cancel => {
            let outcome = attempt::run(worker, &mut settlement, &ready).await;
            (settlement, outcome, ready)
        }
        OnDisconnect::Drain(most) => {
            match detach::attempts(worker, settlement, ready, most).await {
                Ok(attempted) => attempted,
                Err(error) => return bare_error(spec, &error, &id.to_string()),
            }
        }
    };

    // relay, settle
    shared.at(Step::Relay);
    answer(settlement, outcome, ready).await
}

/// What the steps before the first attempt come to.
enum Prepared {
    /// A call to be attempted.
    Ready(Box<Ready>),
    /// An answer that needs no attempt.
    Counted(Counted),
}

/// Everything before the first attempt.
async fn prepare(
    worker: &Arc<Worker>,
    settlement: &mut Settlement,
    called: Called,
    parts: Parts,
    incoming: Incoming,
) -> Result<Prepared, Error> {
    let shared = &worker.shared;
    let snapshot = Arc::clone(&settlement.exchange.snapshot);

    let key = caller(worker, settlement, &parts)?;
    let principal = &key.principal;
    settlement.known(principal);

    shared.at(Step::Admit);
    let priority = principal.caps.priority_of(claimed(&parts.headers));
    settlement.priority = Some(priority).filter(|p| *p != Priority::default());
    settlement.admitted(admit::admit(shared, &key, priority)?);
    let said = said(&parts.headers, &principal.caps)?;
    settlement.attributed(said.who);
    settlement.exchange.asked_deadline = said.deadline;

    shared.at(Step::Body);
    let since = shared.now();
    let received = body::receive(shared, &principal.caps, &parts.headers, incoming).await;
    settlement.waited_since(since);
    let received = received?;
    settlement.request_bytes = received.bytes.len() as u64;

    shared.at(Step::Head);
    let mut parsed = head::parse(called, received)?;
    settlement.stream = parsed.head.stream;

    shared.at(Step::Route);
    let route = match &parsed.object {
        Some(object) => objects::route(shared, &snapshot, principal, parsed.spec, object).await?,
        None => route::resolve(&snapshot, principal, &parsed.head.model)?,
    };
    settlement.route = Some(Arc::clone(&route.name));
    let deadline = deadline(settlement, route.deadline);
    settlement.exchange.leash.set(deadline);

    shared.at(Step::Guard);
    let guarded = guard::judge(&route, &mut parsed)?;

    shared.at(Step::Plan);
    let plan = plan::make(
        &snapshot,
        &route,
        parsed.spec,
        &principal.caps,
        shared.random(),
    )?;
    let candidates = match plan {
        Plan::Attempts(candidates) => candidates,
        Plan::Estimate(write) => return Ok(Prepared::Counted(count::answer(&parsed, write)?)),
    };

    let candidates = objects::stick(shared, principal, &parsed, candidates).await?;

    shared.at(Step::Reserve);
    let plan = reserve::price(
        &snapshot,
        candidates,
        parsed.spec.is_free(),
        settlement.exchange.wall,
    )?;

    Ok(Prepared::Ready(Box::new(Ready {
        parsed,
        route,
        guarded,
        plan,
        headers: parts.headers,
        deadline,
        canonical: OnceLock::new(),
    })))
}

/// The exchange's deadline: the route's, or what the client asked for if that is sooner.
fn deadline(settlement: &Settlement, route: std::time::Duration) -> Mono {
    let exchange = &settlement.exchange;
    exchange.started.plus(
        exchange
            .asked_deadline
            .map_or(route, |asked| asked.min(route)),
    )
}

/// The answer to a call whose attempts are over or whose stream has begun.
async fn answer(
    mut settlement: Box<Settlement>,
    outcome: Result<Answered, Failed>,
    ready: Box<Ready>,
) -> Response<ClientBody> {
    let spec = ready.parsed.spec;
    let Answered {
        status,
        headers,
        reply,
    } = match outcome {
        Ok(answered) => answered,
        Err(failed) => return answer::failed(settlement, spec, failed).await,
    };
    note_degraded(&mut settlement);
    match reply {
        Reply::Whole { bytes, odd, share } => {
            answer::whole(settlement, status, &headers, bytes, odd, share).await
        }
        Reply::Stream(opened) => {
            settlement.status = status;
            let headers = stream_head(&mut settlement, &headers);
            let relay = relay_of(settlement, *opened, &ready);
            respond(status, headers, ClientBody::stream(Box::new(relay)))
        }
    }
}

/// The relay of an opened stream, under its route's rules. The request's body is let go here.
pub(crate) fn relay_of(settlement: Box<Settlement>, opened: Opened, ready: &Ready) -> Relay {
    let rules = RelayRules {
        idle: ready.route.idle,
        deadline: ready.deadline,
        on_disconnect: ready.route.on_disconnect,
    };
    Relay::new(settlement, ready.parsed.spec, opened, &rules)
}

/// Who calls.
fn caller(worker: &Worker, settlement: &Settlement, parts: &Parts) -> Result<Arc<KnownKey>, Error> {
    let in_query = entry::keys_in_query(parts.uri.path(), parts.uri.query());
    let Exchange { cut, wall, .. } = &settlement.exchange;
    authenticate::key(worker, cut, &parts.headers, &in_query, *wall)
}

/// The list of models, or one of them.
fn show_models(
    worker: &Worker,
    settlement: &mut Settlement,
    parts: &Parts,
    asked: &Asked,
    dialect: &'static dyn SurfaceSpec,
) -> Result<String, Error> {
    let shared = Arc::clone(&settlement.shared);
    let key = caller(worker, settlement, parts)?;
    settlement.known(&key.principal);
    models::answer(
        asked,
        &settlement.exchange.snapshot,
        &key.principal,
        dialect.surface().protocol(),
        shared.born,
    )
}
