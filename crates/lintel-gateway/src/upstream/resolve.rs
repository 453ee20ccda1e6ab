//! Names to addresses. The operating system's resolver blocks, so it runs on threads of its own, and there are
//! never more than so many of them, however many names hang.
//!
//! Nothing is remembered: every connection asks anew, so that a name that moves is followed at once. Connections
//! that begin while a lookup of their name is under way share its answer: a burst is one question.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Lookups under way at most, of as many names. A name that hangs holds one for as long as the system's resolver
/// takes to give up, half a minute in the usual configuration.
const AT_ONCE: usize = 64;

/// Finds a name's addresses. For tests, and for operators' own ways of finding machines.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, best first. May block.
    ///
    /// # Errors
    /// When there are none, or nobody can say.
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver, with its files and its order (RFC 6724).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = (name, 0).to_socket_addrs()?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

type Found = Result<Arc<[IpAddr]>, Arc<io::Error>>;
type Answer = watch::Receiver<Option<Found>>;

/// The lookups under way. Shared by every worker.
pub(crate) struct Resolver {
    how: Arc<dyn Resolve>,
    under_way: Arc<Mutex<HashMap<Arc<str>, Answer>>>,
    room: Arc<Semaphore>,
}

impl Resolver {
    pub(crate) fn new(how: Arc<dyn Resolve>) -> Self {
        Self {
            how,
            under_way: Arc::default(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// The addresses of `name`.
    pub(super) async fn find(&self, name: &str) -> Found {
        let joined = self.under_way.lock().get(name).cloned();
        let mut answer = match joined {
            Some(answer) => answer,
            None => self.ask(name).await.map_err(Arc::new)?,
        };
        let found = answer.wait_for(Option::is_some).await;
        let lost = || Arc::new(io::Error::other("the lookup ended without an answer"));
        found.map_err(|_| lost())?.clone().ok_or_else(lost)?
    }

    /// Begins a lookup, once there is room for it, unless another has begun meanwhile.
    async fn ask(&self, name: &str) -> io::Result<Answer> {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(io::Error::other)?;
        let mut under_way = self.under_way.lock();
        if let Some(answer) = under_way.get(name) {
            return Ok(answer.clone());
        }
        let (tell, answer) = watch::channel(None);
        let name: Arc<str> = Arc::from(name);
        let listed = Listed {
            name: Arc::clone(&name),
            list: Arc::clone(&self.under_way),
            _room: room,
        };
        let how = Arc::clone(&self.how);
        // A thread of its own and not the runtime's: a runtime that ends would wait for it.
        let thread = std::thread::Builder::new().name("resolve".to_owned());
        under_way.insert(name, answer.clone());
        drop(under_way);
        thread.spawn(move || look_up(&*how, tell, listed))?;
        Ok(answer)
    }
}

/// Looks up one name. Its place is free before anybody hears the answer, also when the resolver panics: whoever
/// comes from then on asks anew.
fn look_up(how: &dyn Resolve, tell: watch::Sender<Option<Found>>, listed: Listed) {
    // What is bound last is dropped first.
    let listed = listed;
    let found = how.resolve(&listed.name);
    drop(listed);
    let _ = tell.send(Some(found.map(Arc::from).map_err(Arc::new)));
}

/// A lookup's place among those under way, given up however it ends.
struct Listed {
    name: Arc<str>,
    list: Arc<Mutex<HashMap<Arc<str>, Answer>>>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.list.lock().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Counts questions, and answers when it is let.
    struct Held {
        asked: SyncSender<String>,
        let_go: Mutex<Receiver<()>>,
        count: AtomicUsize,
    }

    impl Resolve for Held {
        fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
            self.count.fetch_add(1, Ordering::SeqCst);
            self.asked.send(name.to_owned()).unwrap();
            self.let_go.lock().recv().unwrap();
            match name {
                "gone" => Err(io::Error::from(io::ErrorKind::NotFound)),
                "broken" => panic!("a resolver that panics"),
                _ => Ok(vec!["192.0.2.1".parse().unwrap()]),
            }
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    #[test]
    fn a_burst_is_one_question_and_the_next_one_asks_anew() {
        let (asked, questions) = sync_channel(8);
        let (go, let_go) = sync_channel(8);
        let held = Arc::new(Held {
            asked,
            let_go: Mutex::new(let_go),
            count: AtomicUsize::new(0),
        });
        let resolver = Arc::new(Resolver::new(Arc::clone(&held) as Arc<dyn Resolve>));
        runtime().block_on(async {
            let burst: Vec<_> = (0..20)
                .map(|_| {
                    let resolver = Arc::clone(&resolver);
                    tokio::spawn(async move { resolver.find("one").await })
                })
                .collect();
            // All twenty wait before the answer comes.
            while resolver.under_way.lock().is_empty() {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
            assert_eq!(questions.recv().unwrap(), "one");
            go.send(()).unwrap();
            for find in burst {
                assert_eq!(find.await.unwrap().unwrap().len(), 1);
            }
            assert_eq!(held.count.load(Ordering::SeqCst), 1);
            for name in ["one", "gone", "broken"] {
                go.send(()).unwrap();
                let found = resolver.find(name).await;
                assert_eq!(found.is_ok(), name == "one");
            }
        });
        assert_eq!(held.count.load(Ordering::SeqCst), 4);
        assert!(resolver.under_way.lock().is_empty());
        assert_eq!(resolver.room.available_permits(), AT_ONCE);
    }
}
