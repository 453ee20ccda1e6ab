//! Ids of calls: Google's are optional, the canonical form's are not.

/// Gives every call an id, and finds the call that a result without one answers.
#[derive(Debug)]
pub(super) struct Ids {
    prefix: String,
    made: u64,
    /// Calls without a result so far: name and id.
    open: Vec<(String, String)>,
}

impl Ids {
    /// Ids of a request: `call_1`, `call_2`, in order of appearance.
    pub(super) fn of_request() -> Self {
        Self::with("call_".to_owned())
    }

    /// Ids of an answer. The exchange is part of them: a conversation has many answers, and targets refuse an id
    /// that comes twice.
    pub(super) fn of_reply(exchange: &str) -> Self {
        let exchange = exchange.strip_prefix("ex_").unwrap_or(exchange);
        Self::with(format!("call_{exchange}_"))
    }

    fn with(prefix: String) -> Self {
        Self {
            prefix,
            made: 0,
            open: Vec::new(),
        }
    }

    /// The id of a call of `name`, which says `own` of itself.
    pub(super) fn call(&mut self, own: Option<&str>, name: &str) -> String {
        let id = own.map_or_else(|| self.make(), str::to_owned);
        self.open.push((name.to_owned(), id.clone()));
        id
    }

    /// The id of the call that a result of `name` answers: the first of that name that is still open.
    pub(super) fn result(&mut self, own: Option<&str>, name: &str) -> String {
        let answers = |(called, id): &(String, String)| match own {
            Some(own) => id == own,
            None => called == name,
        };
        let found = self.open.iter().position(answers);
        let id = found.map(|at| self.open.remove(at).1);
        match own {
            Some(own) => own.to_owned(),
            None => id.unwrap_or_else(|| self.make()),
        }
    }

    fn make(&mut self) -> String {
        self.made += 1;
        format!("{}{}", self.prefix, self.made)
    }
}
